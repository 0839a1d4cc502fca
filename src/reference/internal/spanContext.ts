import * as Context from "effect/Context"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** The services of who made a thing, and the span of who uses it: what is done for a push is part of it. */
export const withSpanOf = <R>(own: Context.Context<never>, services: Context.Context<R>): Context.Context<R> =>
  Option.match(Context.getOption(own, Tracer.ParentSpan), {
    onNone: () => services,
    onSome: (span) => Context.add(services, Tracer.ParentSpan, span)
  })
