import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type { StoredManifest } from "../../distribution/RegistryClient.ts"
import type { AttemptEvent } from "../../push/PushEvent.ts"

type Emit = (event: AttemptEvent) => void

/** What a content push leaves: its result, and the manifest if the registry gave it back. */
export interface ContentPush<A> {
  readonly result: A
  readonly manifest: Option.Option<StoredManifest>
}

/** How one tag gets its image: as content, or by naming what is there. */
export interface TagPush<A, E> {
  /** What is pushed where, but for the tag. */
  readonly content: string
  readonly emit: Emit
  readonly pushContent: (emit: Emit) => Effect.Effect<ContentPush<A>, E>
  readonly putTag: (manifest: StoredManifest) => Effect.Effect<Option.Option<A>>
}

interface Leader {
  readonly followers: Set<Emit>
  readonly pushed: Deferred.Deferred<Option.Option<StoredManifest>>
}

const MAXIMUM_REMEMBERED = 64

/**
 * One content push for all tags of an image in a repository: who comes while it runs waits for it and sees its progress,
 * and every other tag is a manifest that is put. Where putting does not work the tag is pushed as content, too.
 */
export const make = () => {
  const leaders = new Map<string, Leader>()
  // The one pushed last comes last.
  const remembered = new Map<string, StoredManifest>()

  const remember = (content: string, manifest: StoredManifest): void => {
    remembered.delete(content)
    remembered.set(content, manifest)
    const [oldest] = remembered.keys()
    if (remembered.size > MAXIMUM_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
  }

  const lead = <A, E>({ content, emit, pushContent }: TagPush<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const leader: Leader = { followers: new Set([emit]), pushed: Deferred.unsafeMake(FiberId.none) }
      leaders.set(content, leader)
      let manifest = Option.none<StoredManifest>()
      const emitToAll = (event: AttemptEvent) => {
        for (const follower of leader.followers) follower(event)
      }
      return pushContent(emitToAll).pipe(
        Effect.map((pushed) => {
          manifest = pushed.manifest
          return pushed.result
        }),
        Effect.ensuring(
          Effect.sync(() => {
            if (leaders.get(content) === leader) leaders.delete(content)
            if (Option.isSome(manifest)) remember(content, manifest.value)
            Deferred.unsafeDone(leader.pushed, Effect.succeed(manifest))
          })
        )
      )
    })

  const follow = ({ emit }: { readonly emit: Emit }, leader: Leader) =>
    Effect.suspend(() => {
      leader.followers.add(emit)
      return Deferred.await(leader.pushed)
    }).pipe(Effect.ensuring(Effect.sync(() => leader.followers.delete(emit))))

  return <A, E>(push: TagPush<A, E>): Effect.Effect<A, E> =>
    Effect.gen(function* () {
      const leader = leaders.get(push.content)
      const manifest =
        leader === undefined ? Option.fromNullable(remembered.get(push.content)) : yield* follow(push, leader)
      const named = Option.isSome(manifest) ? yield* push.putTag(manifest.value) : Option.none<A>()
      return Option.isSome(named) ? named.value : yield* lead(push)
    })
}
