import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { RegistryRateLimited, RegistryUnavailable } from "../../src/distribution/RegistryError.ts"
import * as Source from "../../src/image/ImageSource.ts"
import { ImageNotFound, type PushError } from "../../src/push/PushError.ts"
import { isTerminal, type PushEvent, type PushId, type TerminalEvent } from "../../src/push/PushEvent.ts"
import * as PushRequest from "../../src/push/PushRequest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { type PushHandle, PushSupervisor } from "../../src/runtime/PushSupervisor.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { collected, supervised } from "../support/supervisor.ts"

type Decision = {
  readonly _tag: "Succeed" | "Fail" | "Throttle" | "Disconnect" | "Crash" | "Report"
  readonly pick: number
}

type Command =
  | Decision
  | { readonly _tag: "Submit"; readonly host: number; readonly repository: number; readonly source: number }
  | { readonly _tag: "Cancel" | "Interrupt"; readonly pick: number }
  | { readonly _tag: "Subscribe" | "Wait" | "ThrottleQuestion" | "Stall" | "Drain" }

const pick = FastCheck.nat(1_000)

const command: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  {
    weight: 14,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Submit" as const),
      host: FastCheck.nat(2),
      repository: FastCheck.nat(2),
      source: FastCheck.nat(1)
    })
  },
  {
    weight: 12,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constantFrom(
        ...(["Succeed", "Succeed", "Fail", "Throttle", "Throttle", "Disconnect", "Crash", "Report"] as const)
      ),
      pick
    })
  },
  {
    weight: 5,
    arbitrary: FastCheck.record({ _tag: FastCheck.constantFrom(...(["Cancel", "Interrupt"] as const)), pick })
  },
  {
    weight: 5,
    arbitrary: FastCheck.record({ _tag: FastCheck.constantFrom(...(["Wait", "Wait", "ThrottleQuestion"] as const)) })
  },
  { weight: 2, arbitrary: FastCheck.constant({ _tag: "Subscribe" as const }) },
  { weight: 1, arbitrary: FastCheck.constantFrom({ _tag: "Stall" as const }, { _tag: "Drain" as const }) }
)

const settings = FastCheck.record({
  concurrency: FastCheck.integer({ min: 1, max: 3 }),
  maxInFlight: FastCheck.integer({ min: 1, max: 5 }),
  retries: FastCheck.nat(2)
})

const HOSTS = ["a.example.com", "b.example.com", "c.example.com"]
const STALL_TIMEOUT = Duration.minutes(1)
const DRAIN_TIMEOUT = Duration.seconds(10)

/** Longer than the shortest pauses, and than pushes take to start one by one after a pause. */
const WAIT = Duration.seconds(3)

/** Source 0 is in an engine, so its stall is final; source 1 is a layout, so it is tried again. */
const requestOf = (it: Extract<Command, { readonly _tag: "Submit" }>): PushRequest.PushRequest =>
  PushRequest.make({
    target: ImageReference.unsafeParse(`${HOSTS[it.host]}/app-${it.repository}:1`),
    source:
      it.source === 0
        ? Source.docker(ImageReference.unsafeParse("local:1"))
        : new Source.OciLayoutSource({ path: "./layout", tag: Option.none() })
  })

/** All fibers have gone as far as they can without time. */
const settled = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

type Answer = Deferred.Deferred<ReturnType<typeof TestTransport.result>, PushError>

/** An attempt that the test answers. */
interface Attempt {
  readonly target: string
  readonly host: string
  readonly at: number
  readonly emit: TestTransport.PushCall["emit"]
  readonly answer: Answer
}

/** The transport's side: what runs, and every rule that is seen broken. */
const makeLab = (limits: { readonly concurrency: number; readonly maxInFlight: number }) => {
  const running = new Set<Attempt>()
  const started = new Map<string, number>()
  const attempts: Array<Attempt> = []
  const violations: Array<string> = []

  const begin = (call: TestTransport.PushCall, answer: Answer, at: number): Attempt => {
    const attempt = { target: String(call.target), host: call.target.registry, at, emit: call.emit, answer }
    attempts.push(attempt)
    const others = Array.from(running)
    if (others.some((other) => other.target === attempt.target)) {
      violations.push(`${attempt.target} runs twice at once`)
    }
    if (others.filter((other) => other.host === attempt.host).length >= limits.concurrency) {
      violations.push(`${attempt.host} runs more than ${limits.concurrency}`)
    }
    if (others.length >= limits.maxInFlight) {
      violations.push(`more than ${limits.maxInFlight} run`)
    }
    running.add(attempt)
    started.set(attempt.target, (started.get(attempt.target) ?? 0) + 1)
    return attempt
  }

  const push = (call: TestTransport.PushCall) =>
    Effect.acquireUseRelease(
      Effect.zipWith(
        Deferred.make<ReturnType<typeof TestTransport.result>, PushError>(),
        Clock.currentTimeMillis,
        (answer, at) => begin(call, answer, at)
      ),
      (attempt) => Deferred.await(attempt.answer),
      (attempt) => Effect.sync(() => running.delete(attempt))
    )

  return { running, started, attempts, violations, push }
}

/** The pauses of each registry, as its events tell of them; one that lasts has no end. */
const pausesOf = (events: ReadonlyArray<PushEvent>) => {
  const pauses: Array<{ readonly host: string; readonly from: number; asked: number; to: number }> = []
  for (const event of events) {
    if (event._tag !== "RegistryPaused" && event._tag !== "RegistryResumed") continue
    const at = event.at.epochMillis
    const open = pauses.find(({ host, to }) => host === event.registry && to === Number.POSITIVE_INFINITY)
    if (event._tag === "RegistryResumed") {
      if (open === undefined) assert.fail("a registry resumes that was not paused")
      else open.to = at
    } else {
      const asked = at + Duration.toMillis(event.delay)
      if (open === undefined) {
        pauses.push({ host: event.registry, from: at, asked, to: Number.POSITIVE_INFINITY })
      } else {
        assert.isAtLeast(asked, open.asked, "a pause does not shrink")
        open.asked = asked
      }
    }
  }
  return pauses
}

/** A pause lasts as long as was asked for, and no attempt begins in it. */
const checkPauses = (events: ReadonlyArray<PushEvent>, attempts: ReadonlyArray<Attempt>) => {
  for (const pause of pausesOf(events)) {
    assert.isAtLeast(pause.to, pause.asked)
    const broken = attempts.filter(({ at, host }) => host === pause.host && at > pause.from && at < pause.to)
    assert.deepStrictEqual(broken, [])
  }
}

/** A push as the test knows it: how it may end, and how its `await` did. */
interface Submitted {
  readonly handle: PushHandle
  readonly target: string
  readonly mayEnd: Set<string>
  readonly waiting: Fiber.Fiber<Exit.Exit<unknown, { readonly _tag: string }>>
}

const run = (
  commands: ReadonlyArray<Command>,
  limits: { readonly concurrency: number; readonly maxInFlight: number; readonly retries: number }
) =>
  Effect.gen(function* () {
    const lab = makeLab(limits)
    const scope = yield* Scope.make()
    const options = { ...limits, retryDelay: 0, stallTimeout: STALL_TIMEOUT, drainTimeout: DRAIN_TIMEOUT }
    const services = yield* Layer.buildWithScope(supervised(lab.push, options), scope)
    const supervisor = Context.get(services, PushSupervisor)
    const registry = Context.get(services, TestRegistry.TestRegistry)
    const first = yield* collected(yield* supervisor.subscribe)
    const resumedAt = new Map<string, number>()
    yield* (yield* supervisor.subscribe).pipe(
      Stream.filter((event) => event._tag === "RegistryResumed"),
      Stream.runForEach((event) => Effect.sync(() => resumedAt.set(event.registry, event.at.epochMillis))),
      Effect.forkScoped
    )
    const later: Array<Effect.Effect<ReadonlyArray<PushEvent>>> = []
    const submitted = new Map<PushId, Submitted>()
    const latest = new Map<string, Submitted>()
    const cancelled = new Set<PushId>()
    let closed = false

    const allow = (end: string) => {
      for (const push of submitted.values()) {
        push.mayEnd.add(end)
      }
    }

    const inFlight = Effect.map(supervisor.snapshot, ({ pushes }) => pushes)

    /** The push whose attempt it is: of one target, only the first in line can run. */
    const pushOf = (attempt: Attempt) =>
      Effect.map(inFlight, (pushes) => {
        const owner = pushes.find((push) => String(push.request.target) === attempt.target)
        return owner === undefined ? undefined : submitted.get(owner.id)
      })

    const submit = (push: PushRequest.PushRequest) =>
      Effect.gen(function* () {
        const identity = `${push.source} ${push.target}`
        const before = latest.get(identity)
        const live = (yield* inFlight).some((other) => other.id === before?.handle.id)
        const joins = before !== undefined && live && !cancelled.has(before.handle.id)
        const exit = yield* Effect.exit(supervisor.submit(push))
        assert.strictEqual(Exit.isFailure(exit), closed, "a closed supervisor refuses work, an open one takes it")
        if (Exit.isSuccess(exit)) {
          assert.strictEqual(exit.value.id === before?.handle.id, joins, "equal requests in flight are one push")
          if (!joins) {
            const handle = exit.value
            const waiting = yield* Effect.fork(Effect.exit(handle.await))
            const entry = { handle, target: String(push.target), mayEnd: new Set<string>(), waiting }
            submitted.set(handle.id, entry)
            latest.set(identity, entry)
          }
        }
      })

    const answer = (
      attempt: Attempt,
      end: string,
      exit: Exit.Exit<ReturnType<typeof TestTransport.result>, PushError>
    ) =>
      Effect.flatMap(pushOf(attempt), (push) => {
        push?.mayEnd.add(end)
        return Deferred.done(attempt.answer, exit)
      })

    /** What happens to one of the running attempts. */
    const decide = (it: Decision, attempt: Attempt): Effect.Effect<unknown> => {
      switch (it._tag) {
        case "Succeed":
          return answer(attempt, "PushCompleted", Exit.succeed(TestTransport.result()))
        case "Fail":
          return answer(attempt, "PushFailed", Exit.fail(new ImageNotFound({ image: "local:1", where: "here" })))
        case "Throttle": {
          const retryAfter = it.pick % 3 === 0 ? {} : { retryAfter: Duration.seconds(it.pick % 3) }
          return answer(
            attempt,
            "PushFailed",
            Exit.fail(new RegistryRateLimited({ registry: attempt.host, text: "", ...retryAfter }))
          )
        }
        case "Disconnect":
          return answer(
            attempt,
            "PushFailed",
            Exit.fail(new RegistryUnavailable({ registry: attempt.host, text: "", reason: "reset" }))
          )
        case "Crash":
          return answer(attempt, "PushCrashed", Exit.die(new Error("a fault")))
        case "Report":
          return Effect.sync(() => attempt.emit({ _tag: "LayerProgress", layer: "layer", current: it.pick }))
      }
    }

    const cancel = (push: Submitted) => {
      push.mayEnd.add("requested")
      cancelled.add(push.handle.id)
      return Effect.fork(push.handle.cancel)
    }

    /** Somebody else waits for the push, and loses patience. */
    const interruptWaiter = (push: Submitted) =>
      Effect.flatMap(Effect.fork(push.handle.await), (waiting) => Effect.andThen(settled, Fiber.interrupt(waiting)))

    const execute = (it: Command): Effect.Effect<unknown, never, Scope.Scope> => {
      switch (it._tag) {
        case "Submit":
          return submit(requestOf(it))
        case "Succeed":
        case "Fail":
        case "Throttle":
        case "Disconnect":
        case "Crash":
        case "Report": {
          const attempt = choose(lab.running, it.pick)
          return attempt === undefined ? Effect.void : decide(it, attempt)
        }
        case "Cancel":
        case "Interrupt":
          return Effect.flatMap(inFlight, (pushes) => {
            const chosen = choose(pushes, it.pick)
            const push = chosen === undefined ? undefined : submitted.get(chosen.id)
            if (push === undefined) return Effect.void
            return it._tag === "Cancel" ? cancel(push) : interruptWaiter(push)
          })
        case "Subscribe":
          return Effect.flatMap(Effect.flatMap(supervisor.subscribe, collected), (events) =>
            Effect.sync(() => later.push(events))
          )
        case "Wait":
          // An attempt may have been waiting for a while.
          allow("PushFailed")
          return TestClock.adjust(WAIT)
        case "ThrottleQuestion":
          return registry.fault({ times: 1, effect: { type: "answer", status: 429 } })
        case "Stall":
          allow("PushFailed")
          return TestClock.adjust(STALL_TIMEOUT)
        case "Drain":
          closed = true
          return Effect.fork(supervisor.drain)
      }
    }

    /** No permit is lost: nothing that could run is left waiting. */
    const checkWork = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const { pushes, registries } = yield* supervisor.snapshot
      const heads = new Map<string, (typeof pushes)[number]>()
      for (const push of pushes) {
        const target = String(push.request.target)
        heads.set(target, heads.get(target) ?? push)
      }
      const waiting = Array.from(heads.values()).filter((push) => push.status === "queued")
      const running = registries.reduce((sum, registry) => sum + registry.running, 0)
      for (const state of registries) {
        const { concurrency, pausedUntil, postponed, queued, registry } = state
        const others = registries.filter((other) => other !== state && other.queued + other.postponed > 0).length
        const heads = waiting.filter((push) => push.request.target.registry === registry).length
        assert.isTrue(state.running <= limits.concurrency && concurrency <= limits.concurrency && queued >= heads)
        if (Option.isSome(pausedUntil)) continue
        const isOpening = now - (resumedAt.get(registry) ?? Number.NEGATIVE_INFINITY) < Duration.toMillis(WAIT)
        const mayRun = Math.min(isOpening ? 1 : concurrency, Math.max(1, limits.maxInFlight - others))
        const isIdle = heads + postponed > 0 && state.running < mayRun && running < limits.maxInFlight
        assert.isFalse(isIdle, `${registry} waits for nothing`)
      }
    })

    for (const it of commands) {
      yield* execute(it)
      yield* settled
      yield* checkWork
    }

    allow("shutdown")
    const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
    yield* TestClock.adjust(DRAIN_TIMEOUT)
    yield* Fiber.join(closing)

    assert.deepStrictEqual(lab.violations, [])
    assert.strictEqual(lab.running.size, 0)
    const events = yield* first
    checkPauses(events, lab.attempts)
    const ends = yield* Effect.forEach(submitted.values(), (push) =>
      Effect.map(Fiber.join(push.waiting), (exit) => checkPush(push, exit, events))
    )
    for (const target of new Set(Array.from(submitted.values(), (push) => push.target))) {
      const attempts = ends.filter((end) => submitted.get(end.pushId)?.target === target).map(attemptsOf)
      assert.strictEqual(
        attempts.reduce((sum, count) => sum + count, 0),
        lab.started.get(target) ?? 0
      )
    }
    assert.strictEqual(events.at(-1)?._tag, "RuntimeDrained")
    for (const late of later) {
      checkLate(yield* late, events)
    }
  })

const choose = <A>(values: Iterable<A>, pick: number): A | undefined => {
  const all = Array.from(values)
  return all[pick % Math.max(1, all.length)]
}

const attemptsOf = (end: TerminalEvent): number => (end._tag === "PushCompleted" ? end.image.attempts : end.attempts)

const eventsOf = (events: ReadonlyArray<PushEvent>, id: PushId) =>
  events.filter((event) => "pushId" in event && event.pushId === id)

const checkPush = (
  push: Submitted,
  exit: Exit.Exit<unknown, { readonly _tag: string }>,
  all: ReadonlyArray<PushEvent>
): TerminalEvent => {
  const events = eventsOf(all, push.handle.id)
  assert.strictEqual(events[0]?._tag, "PushQueued")
  assert.strictEqual(events.filter((event) => event._tag === "PushQueued").length, 1)
  const ends = events.filter(isTerminal)
  const end = ends[0]
  if (end === undefined || ends.length !== 1 || events.at(-1) !== end) {
    return assert.fail(`one terminal event comes last: ${events.map((event) => event._tag)}`)
  }
  const name = end._tag === "PushCancelled" ? end.reason : end._tag
  assert.isTrue(push.mayEnd.has(name), `${name} is none of ${Array.from(push.mayEnd)}`)
  if (end._tag !== "PushCancelled") {
    const retries = events.filter((event) => event._tag === "PushRetrying").length
    assert.strictEqual(attemptsOf(end), retries + 1)
  }
  const outcome = Exit.match(exit, {
    onSuccess: () => "PushCompleted",
    onFailure: (cause) =>
      cause._tag === "Fail" ? (cause.error._tag === "PushInterrupted" ? "PushCancelled" : "PushFailed") : "PushCrashed"
  })
  assert.strictEqual(outcome, end._tag, "who awaits the push learns what the event says")
  return end
}

/** A late subscriber knows every push it hears of from its queued event to its terminal one, once each. */
const checkLate = (late: ReadonlyArray<PushEvent>, all: ReadonlyArray<PushEvent>) => {
  assert.strictEqual(late.at(-1)?._tag, "RuntimeDrained")
  const ids = new Set(late.flatMap((event) => ("pushId" in event ? [event.pushId] : [])))
  for (const id of ids) {
    const events = eventsOf(late, id)
    assert.strictEqual(events[0]?._tag, "PushQueued")
    assert.strictEqual(events.filter((event) => event._tag === "PushQueued").length, 1)
    assert.strictEqual(events.filter(isTerminal).length, 1)
    assert.deepStrictEqual(events.at(-1), eventsOf(all, id).at(-1))
  }
}

describe("PushSupervisor under any sequence of commands", () => {
  it.scoped.prop(
    "loses no push, runs none twice at once, keeps its limits, ends every push once and every stream",
    { commands: FastCheck.array(command, { maxLength: 60, size: "max" }), settings },
    ({ commands, settings }) => run(commands, settings),
    { fastCheck: { numRuns: 1_000 }, timeout: 300_000 }
  )
})
