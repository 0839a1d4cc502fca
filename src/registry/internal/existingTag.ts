import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { TagExists } from "../../push/PushError.ts"
import type { OnExisting } from "../../push/PushRequest.ts"
import type { ImageReference } from "../../reference/ImageReference.ts"
import { matchesGlob } from "../../reference/internal/glob.ts"
import type { Comparison } from "../../transport/PushTransport.ts"
import type { PushPreview } from "../ContainerRegistry.ts"

/** What a push does with a tag that has other content. */
export type TagRule = "overwrite" | "skip" | TagExists["reason"]

/** The rule for a push; a protected tag stays where it is whatever the push says. */
export const ruleFor = (
  { tag }: ImageReference,
  protect: ReadonlyArray<string>,
  onExisting: OnExisting = "overwrite"
): TagRule => {
  if (onExisting === "skip") return "skip"
  const isProtected = protect.some((pattern) => Option.exists(tag, (name) => matchesGlob(pattern, name)))
  if (isProtected) return "protected"
  return onExisting === "fail" ? "on-existing" : "overwrite"
}

/** What a push will do, or why it must not, as the tag stands. */
export const foresee = (
  reference: ImageReference,
  comparison: Comparison,
  rule: TagRule
): Either.Either<PushPreview, TagExists> => {
  if (comparison._tag === "Absent") return Either.right({ reference, status: "would-push", digest: Option.none() })
  const there = { reference, digest: Option.some(comparison.digest) }
  if (comparison._tag === "Same") return Either.right({ ...there, status: "unchanged" })
  switch (rule) {
    case "overwrite":
      return Either.right({ ...there, status: "would-overwrite" })
    case "skip":
      return Either.right({ ...there, status: "skipped" })
    default:
      return Either.left(new TagExists({ image: String(reference), digest: String(comparison.digest), reason: rule }))
  }
}
