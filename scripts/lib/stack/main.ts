/** The program behind `scripts/stack`. */
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { runMain } from "../runMain.ts"
import * as FaultProxy from "./FaultProxy.ts"
import * as FaultProxyControl from "./FaultProxyControl.ts"
import * as Prerequisites from "./Prerequisites.ts"
import * as SharedStack from "./SharedStack.ts"
import { type PrerequisitesMissing, StackError } from "./StackError.ts"
import * as TokenServer from "./TokenServer.ts"

const usage = `usage: scripts/stack COMMAND [options]

  up      start an engine, a token server and three registries (open, htpasswd, token) on loopback;
          what runs already is left alone, what is not installed is installed (root, apt)
  status  show what runs
  down    stop what up started and remove the folder
  proxy   run a fault proxy before a registry until interrupted

  --dir DIR           the stack's folder, absolute and short (default: ${SharedStack.defaultFolder})
  --for-tests         up: installs what only live tests run, too
  --target HOST:PORT  proxy: the registry it stands before
  --port PORT         proxy: where it listens (default: any)
  --control PORT      proxy: where it takes rules (default: any; see scripts/lib/stack/FaultProxyControl.ts)`

const parse = Effect.try({
  try: () =>
    parseArgs({
      allowPositionals: true,
      options: {
        dir: { type: "string", default: SharedStack.defaultFolder },
        target: { type: "string" },
        port: { type: "string", default: "0" },
        control: { type: "string", default: "0" },
        "for-tests": { type: "boolean", default: false },
        help: { type: "boolean", default: false }
      }
    }),
  catch: (error) => new StackError({ message: `${error instanceof Error ? error.message : error}\n\n${usage}` })
})

const showStatus = (folder: string) =>
  Effect.gen(function* () {
    const members = yield* SharedStack.status(folder)
    if (members.length === 0) {
      return yield* Console.log(`no stack in ${folder}`)
    }
    for (const { address, name, pid } of members) {
      const state = Option.match(pid, { onNone: () => "not running", onSome: (pid) => `pid ${pid}` })
      yield* Console.log(`${name.padEnd(20)} ${state.padEnd(12)} ${address}`)
    }
  })

const up = (folder: string, install: typeof Prerequisites.install) =>
  Effect.gen(function* () {
    yield* install
    yield* SharedStack.up(folder)
    yield* showStatus(folder)
  })

const proxy = (target: string | undefined, port: number, control: number) =>
  Effect.gen(function* () {
    if (target === undefined) {
      return yield* new StackError({ message: `proxy needs --target HOST:PORT\n\n${usage}` })
    }
    const proxy = yield* FaultProxy.make({ target, port })
    const controlPort = yield* FaultProxyControl.serve(proxy, { port: control })
    yield* Console.log(JSON.stringify({ proxy: proxy.host, control: `http://127.0.0.1:${controlPort}`, target }))
    return yield* Effect.never
  })

const main: Effect.Effect<void, StackError | PrerequisitesMissing, Scope.Scope> = Effect.gen(function* () {
  const { positionals, values } = yield* parse
  const folder = resolve(values.dir)
  const [command, ...rest] = positionals
  if (values.help) {
    return yield* Console.log(usage)
  }
  if (rest.length > 0) {
    return yield* new StackError({ message: `unexpected argument: ${rest[0]}\n\n${usage}` })
  }
  switch (command) {
    case "up":
      return yield* up(folder, values["for-tests"] ? Prerequisites.installForTests : Prerequisites.install)
    case "status":
      return yield* showStatus(folder)
    case "down":
      return yield* SharedStack.down(folder)
    case "proxy":
      return yield* proxy(values.target, Number(values.port), Number(values.control))
    // What `up` runs as a process of its own; not for people.
    case "token-server":
      yield* TokenServer.serve(folder, { port: Number(values.port) })
      return yield* Effect.never
    default:
      return yield* new StackError({ message: usage })
  }
})

runMain(Effect.scoped(main))
