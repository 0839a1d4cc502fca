import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** A span with all that was put on it; `exit` once it has ended. */
export interface RecordedSpan extends Tracer.Span {
  readonly attributes: Map<string, unknown>
  readonly links: Array<Tracer.SpanLink>
  readonly events: Array<{ readonly name: string; readonly attributes: Record<string, unknown> | undefined }>
  exit: Exit.Exit<unknown, unknown> | undefined
}

/** A tracer that keeps every span. */
export const make = (spans: Array<RecordedSpan>): Tracer.Tracer =>
  Tracer.make({
    span: (name, parent, context, links, startTime, kind, options) => {
      const span: RecordedSpan = {
        _tag: "Span",
        name,
        spanId: String(spans.length),
        traceId: Option.match(parent, { onNone: () => `trace-${spans.length}`, onSome: ({ traceId }) => traceId }),
        parent,
        context,
        links: [...links],
        kind,
        sampled: true,
        attributes: new Map(Object.entries(options?.attributes ?? {})),
        events: [],
        exit: undefined,
        status: { _tag: "Started", startTime },
        attribute: (key, value) => void span.attributes.set(key, value),
        event: (name, _, attributes) => void span.events.push({ name, attributes }),
        addLinks: (more) => void span.links.push(...more),
        end: (_, exit) => {
          span.exit = exit
        }
      }
      spans.push(span)
      return span
    },
    context: (run) => run()
  })
