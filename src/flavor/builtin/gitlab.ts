import { make } from "../internal/flavor.ts"

/** GitLab Container Registry; a self-managed one is not known by its host and needs the flavor named. */
export const gitlab = make({
  name: "gitlab",
  displayName: "GitLab Container Registry",
  docsUrl: "https://docs.gitlab.com/user/packages/container_registry/",
  sdkDocsUrl: "https://docs.gitlab.com/api/container_registry/",
  matchesHost: (host) => host === "registry.gitlab.com"
})
