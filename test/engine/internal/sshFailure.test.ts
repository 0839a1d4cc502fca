import { assert, describe, it } from "@effect/vitest"
import { SshFailure } from "../../../src/engine/internal/sshFailure.ts"

/** What OpenSSH 9.2 and docker 28.2 wrote, seen on loopback. */
const seen = [
  ["Host key verification failed.", "ssh"],
  ["ci@127.0.0.1: Permission denied (publickey).", "ssh"],
  ["bash: line 1: docker: command not found", "ssh"],
  ["ssh: connect to host 127.0.0.1 port 22: Connection refused", "refused"],
  ["kex_exchange_identification: Connection closed by remote host", "refused"],
  ["client_loop: send disconnect: Broken pipe", "refused"],
  ["Timeout, server 127.0.0.1 not responding.", "timeout"],
  ["ssh: connect to host 192.0.2.1 port 22: Connection timed out", "timeout"],
  ["ssh: Could not resolve hostname h: Name or service not known", "dns"],
  ["Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?", "not-found"]
]

describe("sshFailure", () => {
  it("tells what may pass by itself from what has to be set right", () => {
    for (const [stderr = "", reason] of seen) {
      assert.strictEqual(new SshFailure({ status: 255, stderr }).reason, reason, stderr)
    }
  })

  it("has ssh's own words without the banner around them, and how it ended", () => {
    const banner = "@@@@@@@@@@@@"
    const stderr = `${banner}\r\n@    WARNING: IT CHANGED!     @\r\n${banner}\r\nHost key verification failed.\r\n`
    const { message } = new SshFailure({ status: 255, stderr })
    assert.strictEqual(
      message,
      "ssh ended (255) and said: @    WARNING: IT CHANGED!     @ Host key verification failed"
    )
    assert.strictEqual(
      new SshFailure({ status: "SIGKILL", stderr: "\n" }).message,
      "ssh ended (SIGKILL) without a word"
    )
    assert.include(new SshFailure({ status: "ENOENT", stderr: "" }).message, "not on the PATH")
  })

  it("keeps the last of much that was said", () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}.`).join("\n")
    const { message } = new SshFailure({ status: 1, stderr: lines })
    assert.notInclude(message, "line 87.")
    assert.include(message, "line 99")
  })
})
