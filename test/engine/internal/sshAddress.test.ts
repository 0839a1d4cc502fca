import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as SshAddress from "../../../src/engine/internal/sshAddress.ts"

const read = (rest: string) => SshAddress.parse(rest)

const name = FastCheck.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,12}$/)
const host = FastCheck.oneof(
  FastCheck.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,12}$/),
  FastCheck.constant("fe80::1")
)
const optional = <A>(arbitrary: FastCheck.Arbitrary<A>) =>
  FastCheck.option(arbitrary, { nil: undefined }).map(Option.fromNullable)

const address: FastCheck.Arbitrary<SshAddress.SshAddress> = FastCheck.record({
  user: optional(name),
  host,
  port: optional(FastCheck.integer({ min: 1, max: 65_535 }).map(String)),
  socketPath: optional(FastCheck.fullUnicodeString().map((text) => `/${text.replaceAll("\0", "")}x`))
})

/** The words that a POSIX shell makes of a line. */
const shellWords = (line: string): ReadonlyArray<string> =>
  execFileSync("sh", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1)

describe("sshAddress", () => {
  describe("parse", () => {
    it.prop("reads every address as it was written", [address], ([one]) => {
      const text = SshAddress.format(one)
      assert.deepStrictEqual(Either.getOrThrow(read(text.slice("ssh://".length))), one)
    })

    it("reads what the docker command reads", () => {
      const cases = [
        ["build", "build"],
        ["me@build:2222", "-l me -p 2222 build"],
        ["me@build:2222/run/d.sock", "-l me -p 2222 build --host unix:///run/d.sock"],
        ["do%40main@h", "-l do@main h"],
        ["@h", "h"],
        ["h:/x", "h --host unix:///x"],
        ["h/", "h"],
        ["[::1]:22", "-p 22 ::1"]
      ]
      for (const [rest = "", expected] of cases) {
        const words = SshAddress.toArguments(Either.getOrThrow(read(rest)))
        const told = words.filter(
          (word) => !["-o", "ConnectTimeout=30", "-T", "--", "docker", "system", "dial-stdio"].includes(word)
        )
        assert.strictEqual(told.join(" "), expected, rest)
      }
    })

    it("refuses what ssh would take for something else, or has no use for", () => {
      const cases = [
        ["me:pa55@h", "password"],
        ["me:@h", "password"],
        ["h?x=y", "from the ? or # on"],
        ["h#x", "from the ? or # on"],
        ["", "Name a host"],
        ["me@", "Name a host"],
        ["-oProxyCommand=sh", "Name a host"],
        ["%2doProxyCommand=sh", "Name a host"],
        ["[-oProxyCommand=sh]", "Name a host"],
        ["a b", "Name a host"],
        ["a%20b", "Name a host"],
        ["a%0ab", "Name a host"],
        ["$(id)", "Name a host"],
        ["-lroot@h", "Its user"],
        ["a`id`@h", "Its user"],
        ["%@h", "Its user"],
        ["h:0", "Its port"],
        ["h:65536", "Its port"],
        ["h:x", "Write it as"],
        ["h:22:22", "Write it as"],
        ["a@b@h", "Write it as"],
        ["h/%00", "Its path"],
        ["h/%", "Its path"]
      ]
      for (const [rest = "", problem = ""] of cases) {
        const answer = Either.match(read(rest), { onLeft: String, onRight: SshAddress.format })
        assert.include(answer, problem, rest)
        assert.notInclude(answer, "pa55")
      }
    })

    it.prop(
      "makes an option of nothing that anybody can write",
      [FastCheck.fullUnicodeString(), FastCheck.boolean()],
      ([text, isDashed]) => {
        const answer = read(isDashed ? `-${text}` : text)
        if (Either.isLeft(answer)) return
        const words = SshAddress.toArguments(answer.right)
        const mark = words.indexOf("--")
        assert.strictEqual(words[mark + 1], answer.right.host)
        assert.isFalse(answer.right.host.startsWith("-"))
        const options = words.slice(0, mark)
        assert.deepStrictEqual(
          options.filter((word) => word.startsWith("-")).filter((word) => !["-o", "-T", "-l", "-p"].includes(word)),
          []
        )
      }
    )
  })

  describe("toArguments", () => {
    it("is the docker command's line, with the host behind the end of ssh's options", () => {
      const words = SshAddress.toArguments(Either.getOrThrow(read("me@h:22/s")))
      assert.strictEqual(
        words.join(" "),
        "-o ConnectTimeout=30 -T -l me -p 22 -- h docker --host unix:///s system dial-stdio"
      )
    })

    it("keeps the other machine's shell from reading the socket's path", () => {
      for (const one of ["/a b", "/$(touch x)", "/a;b", "/it's", "/`id`", "/a\nb", "/*", "/~", '/"', "/a|b&c>d"]) {
        const address = { user: Option.none(), host: "h", port: Option.none(), socketPath: Option.some(one) }
        const words = SshAddress.toArguments(address)
        const remote = words.slice(words.indexOf("h") + 1).join(" ")
        assert.deepStrictEqual(shellWords(remote), ["docker", "--host", `unix://${one}`, "system", "dial-stdio"], one)
      }
    })
  })
})
