/** What gantry and registries write into queries and is no secret: protocols, pages and scopes. */
const harmless: ReadonlySet<string> = new Set(["service", "scope", "client_id", "n", "last", "digest", "mount", "from"])

const safeParameter = (parameter: string): string => {
  const [name = "", ...value] = parameter.split("=")
  if (value.length === 0) return "redacted"
  return harmless.has(name) ? parameter : `${name}=redacted`
}

/**
 * A text with URLs in it, whole ones or paths, without fragments and without the value of any parameter that may be a
 * signature or a session: what a registry gives to go on with is often a secret of its own.
 */
export const withSafeUrls = (text: string): string =>
  text
    .replace(/#[^\s"'<>]+/g, "")
    .replace(/\?([^\s"'<>]+)/g, (_, query: string) => `?${query.split("&").map(safeParameter).join("&")}`)
