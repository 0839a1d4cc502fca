/** What a fault proxy does to which requests, and what it writes down about them. */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"

/**
 * The harm. Bytes are bytes of a body: `CutRequest({ afterBytes: 10 })` lets ten bytes of the request's body reach the
 * registry, and does nothing to a request that has fewer.
 */
export type Fault = Data.TaggedEnum<{
  /** None; for rules that only delay or throttle. */
  Forward: object
  /** Answers at once in the registry's place; the request does not reach it. */
  Answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Reads the request, passes nothing on and never answers. */
  Hang: object
  /** Closes the connection on both sides in the middle of the request. */
  CutRequest: { readonly afterBytes: number }
  /** Stops reading in the middle of the request, and keeps the connection. */
  StallRequest: { readonly afterBytes: number }
  /** Closes the client's connection in the middle of the response, after its head. */
  CutResponse: { readonly afterBytes: number }
  /** Stops in the middle of the response, after its head, and keeps the connection. */
  StallResponse: { readonly afterBytes: number }
  /** The registry does its work and answers in full; the client's connection is closed without a byte of the answer. */
  LoseAnswer: object
}>

export const Fault = Data.taggedEnum<Fault>()

export type FaultName = Fault["_tag"]

export interface RequestMatcher {
  readonly method?: string | undefined
  /** Searched for in the path without its query. */
  readonly path?: RegExp | undefined
}

export interface FaultRule extends RequestMatcher {
  /** Only the nth request that matches, counted from 1 since the rule was added. */
  readonly nth?: number | undefined
  /** The nth and all later ones. With none of `nth`, `from` and `every`: each request that matches. */
  readonly from?: number | undefined
  /** Every nth one: with 10 the tenth, the twentieth and so on. */
  readonly every?: number | undefined
  /** Waited before anything else, on the Clock of the fiber that made the proxy. */
  readonly delay?: Duration.DurationInput | undefined
  /** The speed of either body. */
  readonly bytesPerSecond?: number | undefined
  /** `Forward` when left out. */
  readonly fault?: Fault | undefined
}

export interface RecordedRequest {
  /** Order of arrival, from 1. */
  readonly index: number
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** An allow-list, names in lower case; `authorization` holds the scheme only. */
  readonly headers: Readonly<Record<string, string>>
  readonly fault: FaultName
  /** Bytes of the request's body read from the client. */
  readonly requestBytes: number
  /** Bytes of the response's body given to the client. */
  readonly responseBytes: number
  /** The registry's status, also when the answer was lost, or the status of `Answer`. */
  readonly status: number | undefined
  /** `cut`: the connection closed before the response was complete, whoever closed it. */
  readonly outcome: "open" | "answered" | "cut"
}
