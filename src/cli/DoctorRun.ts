/**
 * What `gantry doctor` does: look at everything a push needs, all of it whatever fails, and say what to do.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { clocks } from "./doctor/clocks.ts"
import { probeFile } from "./doctor/configFile.ts"
import { probeEngine } from "./doctor/engine.ts"
import { insecureRegistries } from "./doctor/insecureRegistries.ts"
import { probeHelpers, probeKeychain } from "./doctor/keychain.ts"
import { proxies } from "./doctor/proxies.ts"
import { registries } from "./doctor/registries.ts"
import type { DoctorSettings } from "./doctor.ts"
import { engineChoice, engineProblems } from "./EngineOptions.ts"
import { exitCode } from "./exitCode.ts"
import * as Finding from "./Finding.ts"
import { untilSignal } from "./internal/untilSignal.ts"
import type { Machine } from "./Machine.ts"
import { text } from "./output/findings.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"

/** Runs the command to its exit code. */
export const run = Effect.fn("DoctorRun.run")(function* (settings: DoctorSettings, machine: Machine) {
  const { stdout } = yield* Stdio
  const problems = engineProblems(settings)
  if (problems.length > 0) return yield* new UsageError({ problems })
  const ended = yield* untilSignal(examine(settings, machine))
  if (Either.isLeft(ended)) return exitCode({ _tag: "Interrupted", signal: ended.left }, [])
  const report = Finding.report(ended.right)
  yield* stdout(settings.output === "json" ? Finding.toJson(report) : text(report))
  return exitCode({ _tag: "Finished" }, ended.right.map(outcomeOf))
})

/** Every finding: what does not need another one's result runs at the same time. */
const examine = Effect.fnUntraced(function* (settings: DoctorSettings, machine: Machine) {
  const asked = yield* Effect.all(
    {
      engine: probeEngine(machine, engineChoice(settings)),
      keychain: probeKeychain,
      file: probeFile(settings)
    },
    { concurrency: "unbounded" }
  )
  const { engine, file, keychain } = asked
  const further = yield* Effect.all(
    [
      probeHelpers(keychain.configs, file.file),
      proxies(engine.info),
      registries(file.file, machine),
      clocks(file.file)
    ],
    { concurrency: "unbounded" }
  )
  return [
    ...engine.findings,
    ...insecureRegistries(file.file, engine.info),
    ...file.findings,
    ...keychain.findings,
    ...further.flat()
  ]
})

/** A warning does not fail. */
const outcomeOf = ({ status }: Finding.Finding) => ({
  status: status === "failed" ? ("failed" as const) : ("found" as const)
})
