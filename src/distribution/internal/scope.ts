/**
 * Scopes of tokens: `type:name:action,action`. The name may hold a colon.
 *
 * Source: https://distribution.github.io/distribution/spec/auth/scope/
 */
import type { Access } from "../TokenSource.ts"

export type Action = "pull" | "push" | "delete"

/** What a request on a repository needs; pushing needs to pull as well. */
export const repositoryScope = (repository: string, action: Action): string =>
  `repository:${repository}:${action === "push" ? "pull,push" : action}`

/** The access a scope names; none when the text is no scope. */
export const parseScope = (scope: string): Access | undefined => {
  const first = scope.indexOf(":")
  const last = scope.lastIndexOf(":")
  return first < 0 || first === last
    ? undefined
    : { type: scope.slice(0, first), name: scope.slice(first + 1, last), actions: scope.slice(last + 1).split(",") }
}

/**
 * One scope for each resource with its actions sorted. The first stays first, because some token servers look at no other
 * (reference/auth.md section 4); the rest is sorted.
 */
export const mergeScopes = (scopes: ReadonlyArray<string>): ReadonlyArray<string> => {
  const actionsByResource = new Map<string, Set<string>>()
  for (const access of scopes.map(parseScope)) {
    if (access === undefined) continue
    const resource = `${access.type}:${access.name}`
    actionsByResource.set(resource, new Set([...(actionsByResource.get(resource) ?? []), ...access.actions]))
  }
  const [first, ...rest] = [...actionsByResource].map(
    ([resource, actions]) => `${resource}:${[...actions].sort().join(",")}`
  )
  return first === undefined ? [] : [first, ...rest.sort()]
}

/** Whether an access lets its holder push to a repository. */
export const allowsPush = ({ actions, name, type }: Access, repository: string): boolean =>
  type === "repository" && name === repository && (actions.includes("push") || actions.includes("*"))
