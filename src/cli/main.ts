/**
 * The program `gantry`.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import packageJson from "../../package.json" with { type: "json" }
import { run } from "./application.ts"
import { exitCode } from "./exitCode.ts"
import { layerLogger, layerSignals, layerStdio } from "./internal/nodeProcess.ts"
import { defectLines } from "./output/problem.ts"

const machine = Effect.map(
  Effect.promise(() => import("./internal/machine.ts")),
  ({ machine }) => machine
)

const node = Layer.mergeAll(layerStdio, layerSignals, layerLogger, NodeFileSystem.layer, NodePath.layer)

const program = run(process.argv.slice(2), { version: packageJson.version, machine }).pipe(
  Effect.provide(node),
  Effect.catchAllCause((cause) =>
    Effect.sync(() => {
      process.stderr.write(
        defectLines(cause)
          .map((line) => `${line}\n`)
          .join("")
      )
      return exitCode({ _tag: "Crashed" }, [])
    })
  )
)

// A connection that an engine leaves open must not keep the program.
Effect.runPromise(program).then((code) => process.exit(code))
