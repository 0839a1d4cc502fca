import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import { ConnectorError, fromUnknown, type Reason } from "../ConnectorError.ts"
import type { Outcome, Refusal } from "./azureHttp.ts"

export const CONNECTOR = "azure"

interface Row {
  readonly code: RegExp
  readonly reason: Reason
  readonly hint?: string
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const rows: ReadonlyArray<Row> = [
  { code: /^AADSTS7000215\b/, reason: "misconfigured", hint: "give the secret's value, not its id" },
  { code: /^AADSTS7000222\b/, reason: "expired", hint: "give the application a new secret" },
  { code: /^AADSTS(90002|900023|900021)\b/, reason: "misconfigured", hint: "check tenantId, and the cloud it is in" },
  { code: /^AADSTS700016\b/, reason: "misconfigured", hint: "check clientId and tenantId" },
  { code: /^AADSTS500011\b/, reason: "misconfigured", hint: "set audience to one that the tenant knows" },
  { code: /^AADSTS700024\b/, reason: "expired" },
  {
    code: /^AADSTS(70021|700211|700212|700213|7002138|700027)\b/,
    reason: "denied",
    hint: "check issuer, subject and audience of the application's federated credential"
  },
  { code: /^AADSTS(53003|53000|7000112)\b/, reason: "denied" }
]

const reasonOfStatus = ({ isPassing, status }: Refusal): Reason => {
  if (isPassing) return "unavailable"
  return status === 401 || status === 403 ? "denied" : "misconfigured"
}

/** What is said, and what was sent, so that it is not repeated. */
interface About {
  readonly resource: string
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}

const fail = (words: unknown, options: About & { readonly reason: Reason; readonly hint?: string | undefined }) => {
  const { hint, reason, resource } = options
  const said = fromUnknown(words, { ...options, connector: CONNECTOR }).detail.replace(/\.$/, "")
  const detail = hint === undefined ? said : `${said}; ${hint}`
  return new ConnectorError({ connector: CONNECTOR, reason, resource, detail })
}

/** A refusal of the service that issues Entra tokens. Behind its words stand ids of the trace, and the time. */
const fromRefusal = (refusal: Refusal, about: About): ConnectorError => {
  const { status } = refusal
  const words = (refusal.words ?? "").replace(/\s*Trace ID:.*$/s, "")
  const row = rows.find(({ code }) => code.test(words))
  const said = words === "" ? `the identity's service answered ${status}` : words
  return fail(said, { ...about, reason: row?.reason ?? reasonOfStatus(refusal), hint: row?.hint })
}

/** An answer that can not be read; the SDK's own words quote it, and that is where a token stands. */
export const unreadableAnswer = (resource: string, from: string): ConnectorError =>
  new ConnectorError({
    connector: CONNECTOR,
    reason: "unavailable",
    resource,
    detail: `the answer of ${from} has another form than expected`
  })

const property = (error: unknown, name: string): unknown =>
  Predicate.hasProperty(error, name) ? error[name] : undefined

/** An error, those that it stands for, and what caused them, of which the innermost says most. */
const withCauses = (error: unknown): ReadonlyArray<unknown> => {
  const errors = property(error, "errors")
  const cause = property(error, "cause")
  return [
    ...(Array.isArray(errors) ? errors.flatMap(withCauses) : []),
    ...(cause === undefined ? [] : withCauses(cause)),
    error
  ]
}

const textOf = (error: unknown, name: string): string => {
  const text = property(error, name)
  return Predicate.isString(text) ? text : ""
}

const describedIn = /Description: (.*?) - Correlation ID:/s
const entraWords = /AADSTS\d+: .*/s

const outcomeOf = (error: unknown): Option.Option<Outcome> => {
  const status = property(error, "status") ?? property(error, "statusCode")
  const message = textOf(error, "message")
  if (message.includes("network_error")) {
    return Option.some({ _tag: "Failed", cause: "the identity's service does not answer, or in no form that is known" })
  }
  if (Predicate.isNumber(status)) {
    const words = entraWords.exec(message)?.[0] ?? describedIn.exec(message)?.[1]
    return Option.some({ _tag: "Refused", status, isPassing: status >= 500 || status === 429, words })
  }
  const isUnread = error instanceof TypeError || textOf(error, "name") === "AuthenticationRequiredError"
  return isUnread ? Option.some({ _tag: "Answered" }) : Option.none()
}

/** What became of the last request that the SDK made by its own network, as far as its error says it. */
export const outcomeIn = (error: unknown): Option.Option<Outcome> =>
  Option.firstSomeOf(withCauses(error).map(outcomeOf))

/**
 * An error of the SDK as ours, by what became of its last request; without one, the SDK found that the options or the machine
 * have no identity.
 */
export const fromSdk = (
  { error, last }: { readonly error: unknown; readonly last: Option.Option<Outcome> },
  about: About
): ConnectorError =>
  Option.match(last, {
    onNone: () => fail(error, { ...about, reason: "misconfigured" }),
    onSome: (outcome) => {
      switch (outcome._tag) {
        case "Refused":
          return fromRefusal(outcome, about)
        case "Failed":
          return fromNetwork(outcome.cause, about)
        case "Answered":
          return unreadableAnswer(about.resource, "the identity's service")
      }
    }
  })

/** A service that was not reached. */
export const fromNetwork = (cause: unknown, about: About): ConnectorError =>
  fail(cause, { ...about, reason: "unavailable" })

const exchangeAdvice: Readonly<Record<number, string>> = {
  401: "the identity is of another tenant than the registry, or may not use it (role AcrPush)",
  403: "the identity may not use the registry (role AcrPush), or its firewall keeps this machine out",
  404: "there is no such registry"
}

/** A refusal of the registry to take the identity's token. */
export const fromExchange = (refusal: Refusal, about: About): ConnectorError => {
  const { status, words } = refusal
  const said = `the registry answered ${status}${words === undefined ? "" : ` (${words})`}`
  return fail(said, { ...about, reason: reasonOfStatus(refusal), hint: exchangeAdvice[status] })
}
