/** What this application is about: its images, under one version, in each of its registries. */
import { Array, Context, Data, Effect, Layer } from "effect"
import {
  ImageReference,
  ImageSource,
  type PushError,
  type PushedImage,
  PushRequest,
  PushSupervisor,
  RegistryCatalog
} from "gantry"

/** Some pushes failed. The others went through, and releasing again sends only what is missing. */
export class ReleaseIncomplete extends Data.TaggedError("ReleaseIncomplete")<{
  readonly version: string
  readonly failures: ReadonlyArray<PushError.PushError | PushError.PushInterrupted>
}> {
  override get message() {
    return [`Release ${this.version} is incomplete.`, ...this.failures.map(({ message }) => `- ${message}`)].join("\n")
  }
}

export class Release extends Context.Tag("example/Release")<
  Release,
  {
    /** Pushes `component:version`, as it was built, to every registry. A name that is none fails before anything is sent. */
    readonly publish: (
      components: ReadonlyArray<string>,
      version: string
    ) => Effect.Effect<
      ReadonlyArray<PushedImage.PushedImage>,
      ImageReference.InvalidImageReference | ReleaseIncomplete | PushSupervisor.SupervisorClosed
    >
  }
>() {}

const make = Effect.gen(function* () {
  const { registries } = yield* RegistryCatalog.RegistryCatalog
  const supervisor = yield* PushSupervisor.PushSupervisor

  const requestsFor = (component: string, version: string) =>
    Effect.gen(function* () {
      const source = ImageSource.docker(yield* ImageReference.parse(`${component}:${version}`))
      const targets = yield* Effect.forEach(registries.values(), ({ imageName }) =>
        imageName({ repository: component, tag: version })
      )
      return targets.map((target) => PushRequest.make({ source, target }))
    })

  return Release.of({
    publish: Effect.fn("Release.publish")(function* (components, version) {
      const requests = yield* Effect.forEach(components, (component) => requestsFor(component, version))
      const [failures, pushed] = Array.separate(yield* supervisor.pushAll(requests.flat()))
      return failures.length === 0 ? pushed : yield* new ReleaseIncomplete({ version, failures })
    })
  })
})

export const layer = Layer.effect(Release, make)
