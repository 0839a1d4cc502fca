/** Pushes the references of its command line with dockerode, eight at a time: what one writes without gantry. */
import Docker from "dockerode"

const docker = new Docker()
const references = process.argv.slice(2)

const push = async (reference) => {
  const colon = reference.lastIndexOf(":")
  const image = docker.getImage(reference.slice(0, colon))
  const stream = await image.push({ tag: reference.slice(colon + 1), authconfig: {} })
  const lines = await new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines)))
  })
  // An engine's error is a line like any other to dockerode (reference/engine.md, section 9).
  const error = lines.at(-1)?.error
  if (error !== undefined) {
    throw new Error(error)
  }
}

const worker = async () => {
  for (let next = references.shift(); next !== undefined; next = references.shift()) {
    await push(next)
  }
}

await Promise.all(Array.from({ length: 8 }, worker))
