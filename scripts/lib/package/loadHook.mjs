/** Runs beside the program, in the thread of node's module hooks. */
let port

export const initialize = (data) => {
  port = data.port
}

export const load = (url, context, nextLoad) => {
  port.postMessage(url)
  return nextLoad(url, context)
}
