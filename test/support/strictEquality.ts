/**
 * chai's `assert.deepStrictEqual` takes `Option.none()` and every `Option.some` for equal, on either side and at any depth:
 * what tells them apart stands in their prototypes. Node's compares those.
 */
import * as NodeAssert from "node:assert/strict"
import { assert } from "@effect/vitest"

assert.deepStrictEqual = NodeAssert.deepStrictEqual
