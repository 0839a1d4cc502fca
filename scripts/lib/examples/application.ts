/** The application for real: in development, in production with its spans exported, once more, and with a mistake. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Http from "../stack/internal/http.ts"
import * as LabUser from "../stack/LabUser.ts"
import * as Command from "./Command.ts"
import * as SpanCollector from "./SpanCollector.ts"
import { type Surroundings, version } from "./Surroundings.ts"
import type { Workspace } from "./Workspace.ts"

/** What it prints of each image: what became of it, where it is, and its digest. */
const imagesIn = (output: string) =>
  [...output.matchAll(/^(\w+) ([^/\s]+)\/(\S+)@(sha256:[0-9a-f]{64})$/gm)].map(
    ([, status = "", host = "", repository = "", digest = ""]) => ({ status, host, repository, digest })
  )

const { dev } = LabUser

export const check = (workspace: Workspace, { dockerHost, registries }: Surroundings) =>
  Effect.gen(function* () {
    const { htpasswd, open, token } = registries
    const main = (environment: Readonly<Record<string, string>>) =>
      workspace.command("application", "node", ["dist/main.js"], {
        DOCKER_HOST: dockerHost,
        VERSION: version,
        ...environment
      })

    const released = Effect.fnUntraced(function* (
      environment: Readonly<Record<string, string>>,
      expected: { readonly status: string; readonly hosts: ReadonlyArray<string> }
    ) {
      const output = yield* Command.output(main(environment))
      const images = imagesIn(output)
      const told = images.map(({ host, repository, status }) => `${status} ${host}/${repository}`)
      const due = ["app", "worker"].flatMap((name) =>
        expected.hosts.map((host) => `${expected.status} ${host}/shop/${name}`)
      )
      yield* Command.expect(`it says ${due.join(", ")}`, told.join() === due.join(), output)
      return images
    })

    const local = yield* released({ LOCAL_REGISTRY: `${open.host}/shop` }, { status: "pushed", hosts: [open.host] })
    for (const { digest, repository } of local) {
      const path = `/v2/${repository}/manifests/${digest}`
      const accept = "application/vnd.docker.distribution.manifest.v2+json"
      const { status } = yield* Http.request({ host: "127.0.0.1", port: open.port, path, headers: { accept } })
      yield* Command.expect(`the registry has ${repository}@${digest}`, status === 200, String(status))
    }
    yield* Console.log(
      `application: development, ${local.length} images pushed, which the registry has by their digests`
    )

    const collector = yield* SpanCollector.make
    const production = {
      ENVIRONMENT: "production",
      COMPANY_REGISTRY: `${htpasswd.host}/shop`,
      GANTRY_SECRET_COMPANY_USERNAME: dev.username,
      GANTRY_SECRET_COMPANY_PASSWORD: dev.password,
      PUBLIC_REGISTRY: `${token.host}/shop`,
      PUBLIC_USERNAME: dev.username,
      PUBLIC_PASSWORD: dev.password
    }
    const hosts = [htpasswd.host, token.host]
    const first = yield* released(
      { ...production, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
      { status: "pushed", hosts }
    )
    const spans = yield* collector.spans
    yield* Command.expect("its own span arrives", spans.includes("Release.publish"), spans.join("\n"))
    yield* Command.expect("gantry's spans arrive", spans.includes("PushSupervisor.pushAll"), spans.join("\n"))
    yield* Console.log(`application: production, ${first.length} images pushed; ${spans.length} spans exported`)

    const second = yield* released(production, { status: "unchanged", hosts })
    yield* Console.log(`application: production again, ${second.length} images unchanged`)

    const { code, output } = yield* Command.run(main({ ...production, VERSION: "9.9.9" }))
    yield* Command.expect("a missing image is exit code 1", code === 1, `exit code ${code}\n${output}`)
    yield* Command.expect("and told by its name", output.includes("There is no image app:9.9.9"), output)
    yield* Console.log("application: a version that was not built fails, and is told by its name")
  })
