import * as Either from "effect/Either"
import * as Option from "effect/Option"

/** Where the engine behind an `ssh://` address is. `host` may be a name that only ~/.ssh/config knows. */
export interface SshAddress {
  readonly user: Option.Option<string>
  readonly host: string
  readonly port: Option.Option<string>
  /** The path of the engine's socket there; without one it is the default of that machine's docker command. */
  readonly socketPath: Option.Option<string>
}

const form =
  /^(?:(?<user>[^@/?#]*)@)?(?<host>\[[^\][]*\]|[^:/?#@[\]]*)(?::(?<port>\d*))?(?<path>\/[^?#]*)?(?<more>[?#].*)?$/s

/**
 * What ssh itself takes for a host or a user. A leading dash would make an option of it.
 * https://github.com/openssh/openssh-portable/blob/V_9_2_P1/ssh.c#L643
 */
const isPlain = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  !text.startsWith("-") && !text.endsWith("\\") && !/[\s'`"$\\;&<>|(){},\u0000-\u001f\u007f]/.test(text)

const decoded = (text: string): Option.Option<string> =>
  Option.filter(Option.liftThrowable(decodeURIComponent)(text), (plain) => !plain.includes("\0"))

const given = (text: string | undefined): Option.Option<string> =>
  Option.filter(Option.fromNullable(text), (value) => value !== "")

/**
 * Reads what follows `ssh://` in an engine's address: `[user@]host[:port][/path/of/the/socket]`, percent-encoded. `Left` is
 * what to do about an address that is none, and repeats nothing of it: it may hold a password.
 *
 * Source: https://github.com/docker/cli/blob/v28.2.2/cli/connhelper/ssh/ssh.go
 */
export const parse = (rest: string): Either.Either<SshAddress, string> => {
  const parts = form.exec(rest)?.groups
  if (parts === undefined) return Either.left("Write it as ssh://[USER@]HOST[:PORT][/SOCKET].")
  if (parts["user"]?.includes(":") === true) {
    return Either.left("Leave out the password: ssh takes none in an address. Use a key, or an agent that holds it.")
  }
  if (parts["more"] !== undefined) return Either.left("Leave out everything from the ? or # on.")
  const [user, host, path] = [parts["user"] ?? "", parts["host"] ?? "", parts["path"] ?? ""].map(decoded)
  if (user === undefined || Option.isNone(user) || !isPlain(user.value)) {
    return Either.left("Its user is not one that ssh takes.")
  }
  const hostname = Option.map(host ?? Option.none(), (name) => name.replace(/^\[(.*)\]$/, "$1"))
  if (Option.isNone(hostname) || hostname.value === "" || !isPlain(hostname.value)) {
    return Either.left("Name a host that ssh takes: ssh://HOST, where HOST may be one of ~/.ssh/config.")
  }
  if (path === undefined || Option.isNone(path)) return Either.left("Its path is not percent-encoded text.")
  const port = given(parts["port"])
  if (Option.exists(port, (digits) => Number(digits) < 1 || Number(digits) > 65_535)) {
    return Either.left("Its port must be from 1 to 65535.")
  }
  return Either.right({
    user: given(user.value),
    host: hostname.value,
    port,
    socketPath: Option.filter(path, (text) => text !== "" && text !== "/")
  })
}

/** The address as people write it. */
export const format = ({ host, port, socketPath, user }: SshAddress): string => {
  const before = Option.match(user, { onNone: () => "", onSome: (name) => `${encodeURIComponent(name)}@` })
  const after = Option.match(port, { onNone: () => "", onSome: (digits) => `:${digits}` })
  const path = Option.match(socketPath, {
    onNone: () => "",
    onSome: (text) => encodeURI(text).replace(/[?#]/g, encodeURIComponent)
  })
  return `ssh://${before}${host.includes(":") ? `[${host}]` : encodeURIComponent(host)}${after}${path}`
}

/** ssh joins its arguments to one line, which the other machine's shell reads. */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/**
 * The arguments of the system's ssh, those of the docker command: so ~/.ssh/config, its agent and known_hosts count.
 * https://github.com/docker/cli/blob/v28.2.2/cli/connhelper/connhelper.go
 */
export const toArguments = ({ host, port, socketPath, user }: SshAddress): ReadonlyArray<string> => [
  "-o",
  "ConnectTimeout=30",
  "-T",
  ...Option.match(user, { onNone: () => [], onSome: (name) => ["-l", name] }),
  ...Option.match(port, { onNone: () => [], onSome: (digits) => ["-p", digits] }),
  "--",
  host,
  "docker",
  ...Option.match(socketPath, { onNone: () => [], onSome: (path) => ["--host", shellWord(`unix://${path}`)] }),
  "system",
  "dial-stdio"
]
