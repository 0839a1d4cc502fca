import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import type { ImageSource } from "../../image/ImageSource.ts"
import type { PushRequest } from "../../push/PushRequest.ts"
import type { NamedRegistries } from "../../push/PushTarget.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import { matchesGlob } from "../../reference/internal/glob.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"

/**
 * The pushes that the globs choose, all of them without a glob. Fails with the globs to blame: those that match nothing,
 * or all of them when together they leave nothing.
 */
export const select = (
  pushes: ReadonlyArray<PushRequest>,
  globs: ReadonlyArray<string>,
  registries: NamedRegistries
): Either.Either<ReadonlyArray<PushRequest>, Arr.NonEmptyReadonlyArray<string>> => {
  const [included, excluded] = Arr.partition(globs, (glob) => glob.startsWith("!"))
  const spelled = pushes.map((push) => ({ push, spellings: spellingsOf(push, registries) }))
  const matches =
    (glob: string) =>
    ({ spellings }: (typeof spelled)[number]) =>
      spellings.some((spelling) => matchesGlob(glob, spelling))

  const idle = included.filter((glob) => !spelled.some(matches(glob)))
  if (Arr.isNonEmptyReadonlyArray(idle)) return Either.left(idle)
  const chosen = spelled.filter(
    (push) =>
      (included.length === 0 || included.some((glob) => matches(glob)(push))) &&
      !excluded.some((glob) => matches(glob.slice(1))(push))
  )
  return chosen.length === 0 && Arr.isNonEmptyReadonlyArray(globs)
    ? Either.left(globs)
    : Either.right(chosen.map(({ push }) => push))
}

/** Every way in which people write a push's source and its target. */
const spellingsOf = ({ source, target }: PushRequest, registries: NamedRegistries): ReadonlyArray<string> => [
  ...spellingsOfSource(source),
  ...spellingsOfReference(target),
  ...Object.entries(registries)
    .filter(([, { uri }]) => RegistryUri.owns(uri, target))
    .map(([name, { uri }]) => `@${name}${String(target).slice(uri.name.length)}`)
]

const spellingsOfSource = (source: ImageSource): ReadonlyArray<string> =>
  source._tag === "DockerSource" ? [String(source), ...spellingsOfReference(source.reference)] : [String(source)]

const spellingsOfReference = (reference: ImageReference.ImageReference): ReadonlyArray<string> => [
  String(reference),
  ImageReference.familiar(reference)
]
