import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PS from "../src/runtime/PushSupervisor.ts"
import * as RC from "../src/registry/RegistryCatalog.ts"
import * as PR from "../src/push/PushRequest.ts"
import * as IR from "../src/reference/ImageReference.ts"
import * as TT from "../src/testing/TestTransport.ts"
import * as Option from "effect/Option"

const reqs = (n: number) => Array.from({ length: n }, (_, i) => PR.make({ target: IR.unsafeParse(`r${i % 4}.example.com/app-${i}:1`) }))
const transport = TT.layer({ push: (c) => Effect.sync(() => {
  if (process.env.EV) for (let l = 0; l < 3; l++) { c.emit({ _tag: "LayerProgress", layer: "l" + l, current: 10, total: 100 }); c.emit({ _tag: "LayerProgress", layer: "l" + l, current: 100, total: 100 }); c.emit({ _tag: "LayerPushed", layer: "l" + l, outcome: "uploaded" }) }
  return TT.result() }) })
const catalog = RC.layer({ a: { uri: "r0.example.com" }, b: { uri: "r1.example.com" }, c: { uri: "r2.example.com" }, d: { uri: "r3.example.com" } }).pipe(Layer.provide(transport))
const bare = (rs: any) => Effect.gen(function* () {
  const cat = yield* RC.RegistryCatalog
  const events: any[] = []
  yield* Effect.forEach(rs, (r: any) => Effect.either(Effect.flatMap(cat.forImage(r.target), (reg) => reg.pushImage(r.target, { source: r.source, platform: Option.getOrUndefined(r.platform), emit: (e) => { events.push(e); events.length = 0 } }))), { concurrency: 16 })
}).pipe(Effect.provide(catalog))
const sup = (rs: any) => Effect.gen(function* () {
  const s = yield* PS.PushSupervisor
  const r = yield* s.pushAll(rs)
  if (r.some((x) => x._tag === "Left")) throw new Error("left")
}).pipe(Effect.provide(PS.layer().pipe(Layer.provide(catalog))), Effect.scoped)
const time = async (f: any, rs: any) => { const t = performance.now(); await Effect.runPromise(f(rs)); return performance.now() - t }
const med = (xs: number[]) => xs.sort((a, b) => a - b)[xs.length >> 1]!
for (const n of [1000, 10000]) { const rs = reqs(n); await time(bare, rs); await time(sup, rs) }
const out: any = {}
for (let k = 0; k < 7; k++) for (const n of [1000, 10000]) { const rs = reqs(n); for (const [name, f] of [["bare", bare], ["sup", sup]] as const) { (globalThis as any).gc?.(); (out[name + n] ??= []).push(await time(f, rs) / n * 1000) } }
for (const k in out) console.log(k, med(out[k]).toFixed(1), "us/push", out[k].map((x: number) => x.toFixed(0)).join(" "))
console.log("ratio 10k/1k", (med(out.sup10000) / med(out.sup1000)).toFixed(2), "vs bare", (med(out.sup10000) / med(out.bare10000)).toFixed(2))
