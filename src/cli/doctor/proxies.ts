import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { EngineInfo } from "../../engine/DockerEngine.ts"
import * as Finding from "../Finding.ts"

const check = "proxy"

const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const

type Name = (typeof names)[number]

type Settings = Readonly<Record<Name, string>>

/** As gantry reads them for its own questions: upper case before lower case. */
const setting = (name: Name) =>
  Config.redacted(name).pipe(
    Config.orElse(() => Config.redacted(name.toLowerCase())),
    Effect.map(Redacted.value),
    Effect.orElseSucceed(() => "")
  )

const masked = "***"

/** What may be shown of a proxy's address: no user, no password, no query. Nothing of a text that is none. */
const shown = (name: Name, text: string): Option.Option<string> => {
  if (name === "NO_PROXY") return Option.some(text.replace(/[^\s,]*@/g, `${masked}@`))
  const full = text.includes("://") ? text : `http://${text}`
  if (!URL.canParse(full)) return Option.none()
  const { host, password, protocol, username } = new URL(full)
  const userInfo = username === "" && password === "" ? "" : `${masked}@`
  return protocol === "http:" || protocol === "https:" ? Option.some(`${protocol}//${userInfo}${host}`) : Option.none()
}

const own = (settings: Settings): ReadonlyArray<Finding.Finding> => {
  const given = names.filter((name) => settings[name] !== "")
  if (given.length === 0) return [Finding.ok(check, "gantry reaches registries without a proxy.")]
  return given.map((name) =>
    Option.match(shown(name, settings[name]), {
      onNone: () =>
        Finding.failed(check, {
          what: `${name} is not the URL of an HTTP proxy.`,
          todo: `Write ${name} as http://HOST:PORT, or unset it.`
        }),
      onSome: (value) => Finding.ok(check, `gantry has ${name} ${value}.`)
    })
  )
}

const ofEngine = ({ httpProxy, httpsProxy, noProxy }: EngineInfo): Settings => ({
  HTTP_PROXY: httpProxy,
  HTTPS_PROXY: httpsProxy,
  NO_PROXY: noProxy
})

const comparable = (name: Name, text: string): string =>
  text === "" ? "" : Option.getOrElse(shown(name, text), () => "a value that is no URL").replace(`${masked}@`, "")

/** It is the engine that pushes: where the two differ, one of them may not get there. */
const differences = (mine: Settings, engine: Settings): ReadonlyArray<Finding.Finding> =>
  names.flatMap((name) => {
    const [here, there] = [comparable(name, mine[name]), comparable(name, engine[name])]
    if (here === there) return []
    const say = (value: string) => (value === "" ? "none" : value)
    return [
      Finding.warning(check, {
        what: `The engine has another ${name} than gantry: ${say(there)}, and gantry has ${say(here)}.`,
        todo: "Give both the same proxy if one of them can not reach a registry: the engine pushes, and gantry asks."
      })
    ]
  })

/** The proxies of gantry, and where the engine's are others. */
export const proxies = (info: Option.Option<EngineInfo>) =>
  Effect.map(
    Effect.all({
      HTTP_PROXY: setting("HTTP_PROXY"),
      HTTPS_PROXY: setting("HTTPS_PROXY"),
      NO_PROXY: setting("NO_PROXY")
    }),
    (settings) => [
      ...own(settings),
      ...Option.match(info, { onNone: () => [], onSome: (info) => differences(settings, ofEngine(info)) })
    ]
  )
