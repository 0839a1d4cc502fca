/**
 * The program `docker-credential-gantry`: hands what docker asks to the `gantry exec` that it runs under.
 *
 * Source of the protocol: https://github.com/docker/docker-credential-helpers. The answer goes to stdout, also one that
 * says what is wrong, and the exit code says whether it is one.
 */
import { readFile } from "node:fs/promises"
import * as http from "node:http"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import packageJson from "../../package.json" with { type: "json" }
import {
  authorization,
  folderVariable,
  goodStatus,
  type HelperAnswer,
  socketName,
  tokenName
} from "./exec/HelperChannel.ts"

const say = (isGood: boolean, words: string): HelperAnswer => ({ isGood, text: Redacted.make(words) })

const usage = say(false, "Usage: docker-credential-gantry <store|get|erase|list|version>")

const version = say(true, `docker-credential-gantry (gantry) v${packageJson.version}`)

const alone = say(
  false,
  "docker-credential-gantry has credentials under gantry exec only: run gantry exec -- and your command"
)

const orphan = say(false, "the gantry exec that this command ran under has ended: run the command with it again")

/** Asks the gantry that waits in this folder. */
const ask = (folder: string, action: string): Effect.Effect<HelperAnswer> =>
  Effect.tryPromise(async () => {
    const token = await readFile(join(folder, tokenName), "utf8")
    const input = await text(process.stdin)
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = http.request({
        socketPath: join(folder, socketName),
        path: `/${encodeURIComponent(action)}`,
        method: "POST",
        headers: { authorization: authorization(token) }
      })
      request.on("response", resolve)
      request.on("error", reject)
      request.end(input)
    })
    return say(response.statusCode === goodStatus, await text(response))
  }).pipe(Effect.orElseSucceed(() => orphan))

const answer = ([action]: ReadonlyArray<string>): Effect.Effect<HelperAnswer> => {
  if (action === undefined) return Effect.succeed(usage)
  if (action === "version") return Effect.succeed(version)
  return Config.option(Config.nonEmptyString(folderVariable)).pipe(
    Effect.orDie,
    Effect.flatMap(Option.match({ onNone: () => Effect.succeed(alone), onSome: (folder) => ask(folder, action) }))
  )
}

Effect.runPromise(answer(process.argv.slice(2))).then(({ isGood, text }) => {
  process.stdout.write(`${Redacted.value(text)}\n`)
  process.exitCode = isGood ? 0 : 1
})
