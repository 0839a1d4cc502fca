import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Finding from "../Finding.ts"
import { type LoadedFile, loadFile } from "../internal/loadFile.ts"
import type { FileSettings } from "../RegistryOptions.ts"

const check = "config-file"

/** The configuration file, when there is one that can be used. */
export interface FileProbe {
  readonly findings: ReadonlyArray<Finding.Finding>
  readonly file: Option.Option<LoadedFile>
}

const todo = "Correct it; `gantry config check` says when nothing is left."

const count = (things: number, one: string, several: string) => `${things} ${things === 1 ? one : several}`

/** Finds the file and reads it. */
export const probeFile = (settings: FileSettings) =>
  Effect.match(loadFile(settings), {
    onFailure: ({ problems }): FileProbe => ({
      findings: problems.map((what) => Finding.failed(check, { what, todo })),
      file: Option.none()
    }),
    onSuccess: (file): FileProbe => ({
      findings: [
        Option.match(file, {
          onNone: () => Finding.skipped(check, "There is no gantry.yaml here or in a folder above."),
          onSome: ({ path, pushes, registries }) =>
            Finding.ok(
              check,
              `${path}: ${count(Object.keys(registries).length, "registry", "registries")}, ${count(pushes.length, "push", "pushes")}.`
            )
        })
      ],
      file
    })
  })
