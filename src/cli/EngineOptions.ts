/**
 * The options of every command that speaks to an engine: which one is meant, over the environment's choice.
 */
import * as Option from "effect/Option"
import type * as DockerContext from "../engine/DockerContext.ts"
import { optional, optionName, type Settings, variableName } from "./OptionTable.ts"
import { text } from "./RegistryOptions.ts"

export const engineOptions = {
  context: optional({
    placeholder: "NAME",
    about: "Use the engine of this docker context. Default: the docker command's engine.",
    decode: text
  }),
  host: optional({
    placeholder: "ADDRESS",
    about: "Use the engine at this address: unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST.",
    decode: text
  })
}

export type EngineSettings = Settings<typeof engineOptions>

/** What is wrong with how an engine is chosen: the docker command refuses both at once too. */
export const engineProblems = ({ context, host }: EngineSettings): ReadonlyArray<string> =>
  Option.isSome(context) && Option.isSome(host)
    ? [
        `--context and --host are both given (${variableName("context")} and ${variableName("host")} count): keep the one that is meant`
      ]
    : []

/** The engine that the options choose. */
export const engineChoice = ({ context, host }: EngineSettings): DockerContext.Choice => ({
  context: Option.getOrUndefined(context),
  host: Option.getOrUndefined(host),
  origin: optionName(Option.isSome(context) ? "context" : "host")
})
