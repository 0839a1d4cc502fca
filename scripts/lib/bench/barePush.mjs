/**
 * Pushes the references of its command line with `node:http` alone, eight at a time: what no client on Node.js goes below.
 * `--ask` first puts the three questions that gantry puts for each push: which image it is, what the tag has, and, at the
 * end, how many bytes the layers took.
 */
import { Agent, request } from "node:http"
import { argv, env } from "node:process"

const [mode, ...others] = argv.slice(2)
const asks = mode === "--ask"
const references = asks ? others : [mode, ...others]

const socketPath = env.DOCKER_HOST.replace("unix://", "")
const engine = { socketPath, agent: new Agent({ keepAlive: true }) }
const registry = { agent: new Agent({ keepAlive: true }) }

const send = (options) =>
  new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      const chunks = []
      response.on("data", (chunk) => chunks.push(chunk))
      response.on("end", () => resolve(Buffer.concat(chunks).toString()))
    })
    outgoing.on("error", reject)
    outgoing.end()
  })

const push = async (reference) => {
  const [, host, port, repository, tag] = /^(.+):(\d+)\/(.+):(.+)$/.exec(reference)
  const headers = { accept: "application/vnd.docker.distribution.manifest.v2+json" }
  const manifest = (name) => send({ ...registry, host, port, path: `/v2/${repository}/manifests/${name}`, headers })
  if (asks) {
    JSON.parse(await send({ ...engine, path: `/images/${reference}/json` }))
    await manifest(tag)
  }
  const lines = await send({
    ...engine,
    method: "POST",
    path: `/images/${host}:${port}/${repository}/push?tag=${tag}`,
    headers: { "X-Registry-Auth": "e30=" }
  })
  const last = JSON.parse(lines.trimEnd().split("\n").at(-1))
  if (last.aux === undefined) throw new Error(last.error)
  if (asks) JSON.parse(await manifest(last.aux.Digest))
}

const worker = async () => {
  for (let next = references.shift(); next !== undefined; next = references.shift()) {
    await push(next)
  }
}

await Promise.all(Array.from({ length: 8 }, worker))
