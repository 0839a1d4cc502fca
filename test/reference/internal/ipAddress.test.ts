import { BlockList, isIP } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { makeNetworks } from "../../../src/reference/internal/ipAddress.ts"

const subnet = FastCheck.oneof(
  FastCheck.tuple(FastCheck.ipV4(), FastCheck.integer({ min: 0, max: 32 })),
  FastCheck.tuple(FastCheck.ipV6(), FastCheck.integer({ min: 0, max: 128 }))
).filter(([address]) => !address.includes("%"))

/** Near the network as often as anywhere: its own address, and that with another end. */
const addressNear = ([address]: readonly [string, number]) =>
  FastCheck.oneof(
    FastCheck.constant(address),
    FastCheck.ipV4(),
    FastCheck.ipV6(),
    FastCheck.integer({ min: 0, max: 255 }).map((end) => address.replace(/\.\d+$/, `.${end}`)),
    FastCheck.hexaString({ minLength: 1, maxLength: 4 }).map((end) => address.replace(/:[0-9a-f]+$/i, `:${end}`))
  )

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4")

describe("makeNetworks", () => {
  it("agrees with Node's own list about every address", () => {
    FastCheck.assert(
      FastCheck.property(
        subnet.chain((network) => FastCheck.tuple(FastCheck.constant(network), addressNear(network))),
        ([[network, prefix], address]) => {
          const node = new BlockList()
          node.addSubnet(network, prefix, family(network))
          assert.strictEqual(makeNetworks(`${network}/${prefix}`)(address), node.check(address, family(address)))
        }
      ),
      { numRuns: 1000 }
    )
  })

  it("knows an address of IPv4 inside one of IPv6", () => {
    const isLoopback = makeNetworks("127.0.0.0/8")
    assert.isTrue(isLoopback("::ffff:127.0.0.1"))
    assert.isTrue(isLoopback("::ffff:7f00:1"))
    assert.isFalse(isLoopback("::ffff:128.0.0.1"))
  })

  it("holds no name, and nothing that is no host", () => {
    const all = makeNetworks("0.0.0.0/0", "::/0")
    for (const text of ["example.com", "", "a b", "1.2.3.4/5", "::1::", "[::1]", "1.2.3.4.5", "fe80::1%eth0"]) {
      assert.isFalse(all(text), text)
    }
  })
})
