import * as Either from "effect/Either"
import * as RegistryFlavor from "../../flavor/RegistryFlavor.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"

/** A registry of Google's, as much of it as was said. A project of a domain is `example.com:project`. */
export interface GcpRegistry {
  /** The canonical id: the host, the project and, in Artifact Registry, the repository. */
  readonly id: string
  readonly host: string
  readonly project: string | undefined
}

const SCHEME = "https://"

/** `example.com:project` stands in paths as `example.com/project`: https://cloud.google.com/artifact-registry/docs/docker/names */
const pathOfProject = (project: string): string => {
  const [domain = "", name, ...rest] = project.split(":")
  return domain.includes(".") && name !== undefined && rest.length === 0 ? `${domain}/${name}` : project
}

/** A resource's name as the address that it stands for, and an address with its project as it stands in paths. */
const addressOf = (text: string): string => {
  const [projects, project = "", locations, location, repositories, repository] = text.split("/")
  const isName = projects === "projects" && locations === "locations" && repositories === "repositories"
  if (isName && location && repository) return `${location}-docker.pkg.dev/${pathOfProject(project)}/${repository}`
  const scheme = text.slice(0, SCHEME.length).toLowerCase() === SCHEME ? SCHEME : ""
  const [host = "", first, ...rest] = text.slice(scheme.length).split("/")
  return scheme + (first === undefined ? host : [host, pathOfProject(first), ...rest].join("/"))
}

/** How many parts of a path belong to a registry, after the project's domain. */
const depthOf = (host: string): number => (host.endsWith(".pkg.dev") ? 2 : 1)

const registryOf = ({ host, path }: RegistryUri.RegistryUri): GcpRegistry => {
  const parts = path === "" ? [] : path.split("/")
  const [first, second] = parts
  // No project has a dot in its id, so this one's domain comes first.
  const isOfDomain = first?.includes(".") ?? false
  return {
    id: [host, ...parts.slice(0, depthOf(host) + (isOfDomain ? 1 : 0))].join("/"),
    host,
    project: isOfDomain && second !== undefined ? `${first}:${second}` : first
  }
}

const refuse = (message: string) =>
  Either.left({ message: `${message}; write LOCATION-docker.pkg.dev/PROJECT/REPOSITORY or gcr.io/PROJECT` })

/**
 * Parses `[https://]HOST[/PROJECT[/REPOSITORY]][/IMAGE]` of Artifact Registry or Container Registry, and
 * `projects/PROJECT/locations/LOCATION/repositories/REPOSITORY`.
 */
export const parse = (text: string): Either.Either<GcpRegistry, { readonly message: string }> =>
  Either.match(RegistryUri.parse(addressOf(text)), {
    onLeft: ({ input }) => refuse(`${input} is no registry of Google Cloud`),
    onRight: (uri) => {
      if (!RegistryFlavor.gcp.matchesHost(uri.host)) return refuse(`${uri} is no registry of Google Cloud`)
      return uri.plainHttp ? refuse(`${uri} would be told the token in the clear`) : Either.right(registryOf(uri))
    }
  })
