/** One request through a fault proxy, harmed or not. */
import * as http from "node:http"
import * as Duration from "effect/Duration"
import { Fault, type FaultRule } from "../Fault.ts"
import type { OpenRecord } from "./recorder.ts"

export interface Exchange {
  readonly request: http.IncomingMessage
  readonly response: http.ServerResponse
  readonly record: OpenRecord
  readonly rule: FaultRule | undefined
  readonly target: URL
  readonly sleep: (duration: Duration.DurationInput, signal: AbortSignal) => Promise<void>
  /** To be called after the record was changed. */
  readonly changed: () => void
}

/** Headers of one connection, which a proxy may not pass on (RFC 9110, section 7.6.1). */
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "upgrade"])

const endToEnd = (rawHeaders: ReadonlyArray<string>): Array<string> => {
  const kept: Array<string> = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ""
    if (!hopByHop.has(name.toLowerCase())) {
      kept.push(name, rawHeaders[i + 1] ?? "")
    }
  }
  return kept
}

/** Writes and waits until the bytes are with the kernel, which is what a cut after n bytes counts. */
const write = (sink: http.OutgoingMessage, chunk: Uint8Array) =>
  new Promise<void>((resolve, reject) => {
    sink.write(chunk, (error) => (error ? reject(error) : resolve()))
  })

interface Pump {
  readonly source: http.IncomingMessage
  readonly sink: http.OutgoingMessage
  /** Bytes after which the pump stops for good. */
  readonly limit: number
  readonly moved: (bytes: number) => void
}

export const exchange = (it: Exchange): void => {
  const { changed, record, request, response, rule } = it
  const fault = rule?.fault ?? Fault.Forward()
  const closed = new AbortController()
  record.fault = fault._tag
  // A client may leave as soon as it has as many bytes as the answer announced, before the answer is ended here.
  let announcedBytes = Infinity
  response.once("close", () => {
    record.outcome = response.writableFinished || record.responseBytes >= announcedBytes ? "answered" : "cut"
    closed.abort()
    changed()
  })
  // Its client left; `response` closes as well.
  request.on("error", () => {})
  changed()

  const countRequest = (bytes: number) => {
    record.requestBytes += bytes
    changed()
  }

  const cut = () => response.destroy()

  /** Bytes in pieces of a tenth of a second when there is a speed limit. */
  const paced = async function* (chunk: Buffer): AsyncGenerator<Buffer> {
    const bytesPerSecond = rule?.bytesPerSecond
    if (bytesPerSecond === undefined) {
      yield chunk
      return
    }
    const size = Math.max(1, Math.floor(bytesPerSecond / 10))
    for (let offset = 0; offset < chunk.length; offset += size) {
      const piece = chunk.subarray(offset, offset + size)
      await it.sleep(Duration.seconds(piece.length / bytesPerSecond), closed.signal)
      yield piece
    }
  }

  /** True when the source came to its end, false when the limit was met. */
  const pump = async ({ limit, moved, sink, source }: Pump): Promise<boolean> => {
    let left = limit
    if (left <= 0) {
      return false
    }
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      for await (const piece of paced(chunk)) {
        const part = piece.subarray(0, left)
        await write(sink, part)
        left -= part.length
        moved(part.length)
        if (left <= 0) {
          return false
        }
      }
    }
    return true
  }

  const swallowRequest = () => {
    request.on("data", (chunk: Buffer) => countRequest(chunk.length))
  }

  const sendRequest = async (upstream: http.ClientRequest) => {
    const limit = fault._tag === "CutRequest" || fault._tag === "StallRequest" ? fault.afterBytes : Infinity
    if (await pump({ source: request, sink: upstream, limit, moved: countRequest })) {
      upstream.end()
    } else if (fault._tag === "CutRequest") {
      upstream.destroy()
      cut()
    }
  }

  const giveAnswer = async (answer: http.IncomingMessage) => {
    const limit = fault._tag === "CutResponse" || fault._tag === "StallResponse" ? fault.afterBytes : Infinity
    announcedBytes = Number(answer.headers["content-length"] ?? Infinity)
    response.sendDate = false
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
    response.flushHeaders()
    const moved = (bytes: number) => {
      record.responseBytes += bytes
      changed()
    }
    if (await pump({ source: answer, sink: response, limit, moved })) {
      response.end()
    } else if (fault._tag === "CutResponse") {
      // After what was written so far has left.
      response.socket?.destroySoon()
    }
  }

  const forward = () => {
    // A connection for each request: a kept one may be dead by the time a restarted registry is asked again.
    const upstream = http.request({
      agent: false,
      host: it.target.hostname,
      port: it.target.port,
      method: request.method,
      path: request.url,
      headers: endToEnd(request.rawHeaders)
    })
    response.once("close", () => upstream.destroy())
    // A registry that is down looks to the client as it would without a proxy: no answer, a closed connection.
    upstream.on("error", () => {
      if (!answered) {
        cut()
      }
    })
    let answered = false
    upstream.once("response", (answer) => {
      answered = true
      record.status = answer.statusCode
      changed()
      if (fault._tag === "LoseAnswer") {
        answer.on("error", cut).on("end", cut).resume()
      } else {
        giveAnswer(answer).catch(cut)
      }
    })
    // The registry stopped reading, perhaps after an answer that is on its way: the client may go on writing.
    sendRequest(upstream).catch(() => request.resume())
  }

  const begin = () => {
    switch (fault._tag) {
      case "Answer":
        swallowRequest()
        record.status = fault.status
        response.writeHead(fault.status, fault.headers).end(fault.body)
        record.responseBytes = Buffer.byteLength(fault.body ?? "")
        return
      case "Hang":
        return swallowRequest()
      default:
        return forward()
    }
  }

  if (rule?.delay === undefined) {
    begin()
  } else {
    it.sleep(rule.delay, closed.signal).then(begin, () => {
      // The client left meanwhile, or the proxy's scope closed.
    })
  }
}
