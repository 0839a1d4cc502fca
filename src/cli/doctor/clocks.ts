import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as RegistryClient from "../../distribution/RegistryClient.ts"
import * as Finding from "../Finding.ts"
import { type LoadedFile, registriesOf } from "../internal/loadFile.ts"
import { readableDuration } from "../internal/text.ts"

const check = "clock"

const patience = "10 seconds"

/** A token's `nbf` and `exp` are checked with this much tolerance by the distribution registry. */
const WARN_AFTER = Duration.seconds(60)

/** AWS and others refuse what is signed this far from their own time. */
const FAIL_AFTER = Duration.minutes(5)

const todo = "Set this machine's clock by NTP (as with `timedatectl set-ntp true`), or tell the registry's operator."

const judge = (host: string, here: DateTime.Utc, there: DateTime.Utc): Finding.Finding => {
  const difference = DateTime.distanceDuration(here, there)
  const length = readableDuration(Duration.toMillis(difference))
  if (Duration.lessThanOrEqualTo(difference, WARN_AFTER)) {
    return Finding.ok(check, `This machine's clock is within ${length} of that of ${host}.`)
  }
  const side = DateTime.lessThan(here, there) ? "behind" : "ahead of"
  const what = `This machine's clock is ${length} ${side} that of ${host}: tokens may be refused as not yet good, or as expired.`
  return (Duration.greaterThan(difference, FAIL_AFTER) ? Finding.failed : Finding.warning)(check, { what, todo })
}

const compare = (client: RegistryClient.RegistryClient) =>
  Effect.gen(function* () {
    const there = yield* client.serverTime
    const here = yield* DateTime.now
    return Option.match(there, {
      onNone: () => Finding.skipped(check, `${client.host} does not say what time it has.`),
      onSome: (time) => judge(client.host, here, time)
    })
  }).pipe(
    Effect.timeout(patience),
    Effect.orElseSucceed(() => Finding.skipped(check, `${client.host} does not answer, so its time is not known.`))
  )

/** Compares this machine's clock with that of each registry of the file. */
export const clocks = (file: Option.Option<LoadedFile>) =>
  Effect.gen(function* () {
    const byHost = Arr.dedupeWith(Object.values(registriesOf(file)), (left, right) => left.uri.host === right.uri.host)
    if (byHost.length === 0)
      return [Finding.skipped(check, "There is no registry to compare this machine's clock with.")]
    return yield* Effect.forEach(
      byHost,
      ({ tls, uri }) =>
        Effect.flatMap(
          RegistryClient.make({
            host: uri.host,
            tls: tls ?? (uri.plainHttp ? "off" : undefined),
            credential: Option.none()
          }),
          compare
        ),
      { concurrency: 16 }
    )
  }).pipe(Effect.scoped)
