import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Inspectable from "effect/Inspectable"

/** A value that is its canonical text: two of one class are equal when their texts are, and logs and JSON show the text. */
export abstract class CanonicalText implements Equal.Equal, Inspectable.Inspectable {
  abstract toString(): string

  toJSON(): unknown {
    return this.toString()
  }

  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toString()
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return Object.getPrototypeOf(this) === Object.getPrototypeOf(that) && this.toString() === String(that)
  }

  [Hash.symbol](): number {
    return Hash.cached(this, Hash.string(this.toString()))
  }
}
