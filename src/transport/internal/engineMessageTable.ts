/**
 * What engines say when a push fails, a row for each kind of message; the first row that matches decides. Rows that read
 * more out of the words than their code or status says come first, then codes and statuses, and wording comes last.
 */
import {
  code,
  denied,
  documented,
  immutable,
  invalidName,
  manifest,
  notFound,
  type Row,
  rateLimited,
  recalled,
  recorded,
  rejected,
  repositoryNotFound,
  request,
  row,
  status,
  unauthorized,
  unavailable,
  words
} from "./engineMessageRow.ts"

/** Words that say more than the code or the status that came with them. */
const refinements: ReadonlyArray<Row> = [
  row(
    words(/^The image tag '[^']*' already exists in the '[^']*' repository and cannot be overwritten/),
    immutable,
    recorded("d20-immutable-ecr", "d20-immutable-ecr-old", "d28c-immutable-ecr", "p4-immutable-ecr", "p5-immutable-ecr")
  ),
  row(
    words(/^cannot update tag \S+ The repository has enabled tag immutability/),
    immutable,
    recorded("d20-immutable-gar", "d28c-immutable-gar", "p4-immutable-gar")
  ),
  row(
    words(/^Failed to process request due to '[^']*' configured as immutable/),
    immutable,
    recorded("d20-immutable-harbor", "d28c-immutable-harbor", "p4-immutable-harbor")
  ),
  // ECR says 403 and `denied` to a login that has expired: reference/auth.md section 5.
  row(words(/^Your authorization token has expired/), unauthorized, recorded("d20-expired-ecr", "d28-expired-ecr")),
  row(words(/^manifest too large/), manifest("too-large"), recorded("d20-manifest-too-large"))
]

const byCode: ReadonlyArray<Row> = [
  row(
    code("unauthorized"),
    unauthorized,
    recorded("d20-401-manifest", "d20-basic-wrong-password", "p4-basic-anonymous", "p5-basic-anonymous")
  ),
  row(
    code("denied"),
    denied,
    recorded("d20-denied-default-wording", "d28c-denied-default-wording", "p4-token-read-only-user", "p5-denied-gar")
  ),
  row(
    code("toomanyrequests"),
    rateLimited,
    recorded("d20-429-default-wording", "d28-429-upload-post", "d28c-429-default-wording", "p5-429-manifest")
  ),
  row(
    code("name unknown"),
    repositoryNotFound,
    recorded("d20-repo-missing-default-wording", "d28c-repo-missing-default-wording", "p5-repo-missing-ecr")
  ),
  row(
    code("name invalid"),
    invalidName,
    documented(
      "https://github.com/distribution/distribution/blob/v2.8.2/registry/api/v2/errors.go",
      "name invalid: invalid repository name"
    )
  ),
  row(
    code("manifest blob unknown", "blob unknown"),
    manifest("blob-unknown"),
    recorded("d20-manifest-blob-unknown", "d28c-manifest-blob-unknown", "p4-manifest-blob-unknown")
  ),
  row(
    code("manifest invalid", "manifest unverified"),
    manifest("invalid"),
    recorded("d20-manifest-invalid", "d20-manifest-two-errors", "d28c-manifest-two-errors")
  ),
  row(code("tag invalid"), manifest("tag-invalid"), recorded("d20-tag-invalid-default-wording")),
  // The specification gives UNKNOWN with the status 500 and UNAVAILABLE with 503.
  row(code("unavailable", "unknown"), unavailable("status"), recorded("d28c-500-upload-post", "d28c-503-upload-post")),
  row(
    code(
      "unsupported",
      "digest invalid",
      "size invalid",
      "blob upload unknown",
      "blob upload invalid",
      "manifest unknown"
    ),
    rejected,
    recorded("d20-unsupported", "d20-digest-invalid", "d20-blob-upload-unknown", "d28c-digest-invalid")
  )
]

const byStatus: ReadonlyArray<Row> = [
  row(status(401), unauthorized, recorded("d28c-401-blob-head", "d28c-registrytoken-expired")),
  row(
    status(403),
    denied,
    recorded("d20-403-empty-body", "d20-html-403", "d28c-expired-ecr", "p4-expired-ecr", "p5-expired-ecr")
  ),
  row(status(404), repositoryNotFound, recorded("d20-404-empty-body")),
  row(status(429), rateLimited, recorded("d20-429-plain-text", "d28c-429-plain-text")),
  row(
    status(500, 599),
    unavailable("status"),
    recorded("d20-503-upload-post", "d28c-502-html-manifest", "p4-503-manifest", "p5-503-upload-post")
  ),
  row(
    status(400, 499),
    rejected,
    recorded("d20-html-413-patch", "d28-html-413-patch", "p4-html-413-patch", "p5-html-413-patch")
  )
]

/** The words of Go's net, net/http, crypto/tls and crypto/x509, in which all engines speak about connections. */
const byConnection: ReadonlyArray<Row> = [
  row(
    words(/^dial \w+ \S+: connect: connection refused/),
    unavailable("refused"),
    recorded("d20-connection-refused", "d20-registry-killed", "d28c-connection-refused", "p5-connection-refused")
  ),
  row(
    words(/^dial \w+ \S+: connect: (?:no route to host|network is unreachable)/),
    unavailable("refused"),
    documented(
      "https://cs.opensource.google/go/go/+/refs/tags/go1.24.0:src/syscall/zerrors_linux_amd64.go",
      'Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: no route to host',
      'Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: network is unreachable'
    )
  ),
  row(
    words(/^dial \w+: lookup /),
    unavailable("dns"),
    recorded("d20-dns-failure", "d20-docker-hub-unreachable", "d28c-dns-failure", "p5-dns-failure")
  ),
  row(words(/^dial \w+: address \S+: invalid port/), unavailable("address"), recorded("d20-port-out-of-range")),
  row(
    words(/^(?:context deadline exceeded|net\/http: request canceled[\w ]* \(Client\.Timeout exceeded)/),
    unavailable("timeout"),
    recorded("d20-ping-hangs", "d28-ping-hangs")
  ),
  row(
    words(
      /^(?:(?:dial|read|write) \w+ \S+: (?:i\/o timeout|\w+: connection timed out)|net\/http: TLS handshake timeout)/
    ),
    unavailable("timeout"),
    documented(
      "https://cs.opensource.google/go/go/+/refs/tags/go1.24.0:src/net/http/transport.go",
      'Get "https://registry.example/v2/": net/http: TLS handshake timeout',
      'failed to do request: Head "https://registry.example/v2/a/blobs/sha256:00": dial tcp 192.0.2.1:443: i/o timeout',
      "read tcp 192.0.2.2:34236->192.0.2.1:443: read: connection timed out"
    )
  ),
  row(
    words(/^(?:tls: failed to verify certificate: )?x509: /),
    unavailable("certificate"),
    recorded("d20-tls-expired", "d20-tls-unknown-authority", "d20-tls-wrong-name")
  ),
  row(
    words(/^http: server gave HTTP response to HTTPS client/),
    unavailable("plain-http"),
    recorded("d20-tls-server-speaks-http", "p4-insecure-registry-default", "p5-insecure-registry-default")
  ),
  // A proxy's refusal of CONNECT is the reason phrase of its status, and nothing else.
  row(
    request(/^(?:Bad Gateway|Gateway Timeout|Service Unavailable|Forbidden|Proxy Authentication Required)$/),
    unavailable("proxy"),
    recorded("d20-tls-proxy-502")
  ),
  row(
    words(/^proxyconnect \w+: /),
    unavailable("proxy"),
    documented(
      "https://cs.opensource.google/go/go/+/refs/tags/go1.24.0:src/net/http/transport.go",
      'Get "https://registry.example/v2/": proxyconnect tcp: dial tcp 192.0.2.9:3128: connect: connection refused'
    )
  ),
  row(
    words(
      /^(?:read|write) \w+ \S+: (?:\w+: (?:connection reset by peer|broken pipe)|use of closed network connection)/
    ),
    unavailable("reset"),
    recorded("d20-reset-manifest", "d20-reset-patch", "d28c-reset-manifest", "p4-reset-patch")
  ),
  row(
    request(/^(?:unexpected )?EOF$/),
    unavailable("reset"),
    recorded("d20-manifest-answer-lost", "d28c-manifest-answer-lost", "d20-tls-connection-closed")
  )
]

/** What engines say before they speak to a registry. */
const byEngine: ReadonlyArray<Row> = [
  row(
    words(/^(?:An image does not exist locally with the tag|tag does not exist): /),
    notFound(),
    recorded("d20-no-such-image", "d20-tag-missing", "d28c-no-such-image", "d28c-digest-in-path")
  ),
  row(words(/^failed to find image /), notFound(), recorded("p4-no-such-image", "p5-tag-missing")),
  row(
    words(/^No such image: /),
    notFound(),
    documented(
      "https://github.com/moby/moby/blob/v28.5.2/daemon/images/image.go",
      "No such image: registry.example/app:v1"
    )
  ),
  // What a pull is told: reference/auth.md section 3.
  row(
    words(/^manifest for \S+ not found: manifest unknown/),
    notFound(),
    documented(
      "reference/auth.md section 3",
      "manifest for registry.example/app:v1 not found: manifest unknown: manifest unknown"
    )
  ),
  row(
    words(/^pull access denied for \S+ repository does not exist or may require /),
    denied,
    documented(
      "reference/auth.md section 3",
      "pull access denied for registry.example/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
    )
  ),
  row(
    words(/^image with reference \S+ was found but (?:does not provide|its platform \([^)]*\) does not match) /),
    notFound("The engine has it for another platform: pull the wanted one first, or ask for no platform."),
    recorded("d28-platform-not-local", "d28c-platform-not-local")
  ),
  row(
    words(/^invalid (?:reference|tag) format/),
    invalidName,
    recorded("d20-name-unicode", "d28-name-uppercase", "d28c-tag-invalid")
  ),
  row(
    words(/^invalid repository name \(/),
    invalidName,
    documented(
      "reference/engine.md section 4",
      `invalid repository name (${"a".repeat(64)}), cannot specify 64-byte hexadecimal strings`
    )
  ),
  row(words(/^cannot push a digest reference/), invalidName, recorded("d20-digest-in-path")),
  row(
    words(/^image source "[^"]*" is not a containers-storage-transport reference/),
    invalidName,
    recorded("p4-name-unicode", "p4-tag-invalid", "p5-name-uppercase")
  ),
  // Docker sends a name with `//` or `..` elsewhere: reference/engine.md section 4.
  row((message) => message.engineStatus === 301, invalidName, recorded("d20-name-double-slash"))
]

/** The registry's or the token server's own words, where the engine has dropped their code. */
const byWords: ReadonlyArray<Row> = [
  row(words(/^no basic auth credentials/), unauthorized, recorded("d20-basic-anonymous", "d28c-basic-anonymous")),
  row(
    words(/^incorrect username or password/),
    unauthorized,
    recorded("d28c-token-wrong-password", "d28c-identitytoken-bad")
  ),
  row(
    words(/^invalid username\/password: /),
    unauthorized,
    recorded("p4-token-wrong-password", "p5-token-wrong-password")
  ),
  row(
    words(/^server message: invalid_token/),
    unauthorized,
    documented(
      "https://github.com/containerd/containerd/blob/v1.7.28/remotes/docker/authorizer.go",
      "push access denied, repository does not exist or may require authorization: server message: invalid_token: authorization failed"
    )
  ),
  row(
    words(/^HTTP Basic: Access denied/),
    unauthorized,
    documented("reference/auth.md section 8", "error from registry: HTTP Basic: Access denied")
  ),
  row(
    words(/^authentication required, visit /),
    unauthorized,
    recalled(
      "error from registry: authentication required, visit https://aka.ms/acr/authorization for more information."
    )
  ),
  row(
    words(/^server message: insufficient_scope/),
    denied,
    recorded("d28c-token-anonymous", "d28c-token-read-only-user")
  ),
  row(words(/^User: \S+ is not authorized to perform: /), denied, recorded("d28c-denied-ecr-iam")),
  row(words(/^Permission "[^"]*" denied on resource /), denied, recorded("d28c-denied-gar")),
  row(words(/^permission_denied: /), denied, recorded("d28c-denied-ghcr")),
  row(
    words(/^access forbidden/),
    denied,
    documented("reference/auth.md section 8", "error from registry: access forbidden")
  ),
  row(words(/^adding \S+ \S+ of storage resource, which when updated /), denied, recorded("d28c-quota-harbor-blob")),
  row(
    words(/^registry contains \d+ repositories, limit is \d+/),
    denied,
    documented(
      "the text of d20-quota-docr, as an engine that drops codes would give it",
      "error from registry: registry contains 1 repositories, limit is 1"
    )
  ),
  row(
    words(/^The operation is disallowed on this registry, repository or image/),
    denied,
    recorded("d20-locked-acr-manifest", "d20-locked-acr-upload", "d28c-locked-acr-manifest")
  ),
  row(words(/^Rate exceeded/), rateLimited, recorded("d28c-429-manifest", "d28c-429-upload-post")),
  row(
    words(/^You have reached your (?:unauthenticated )?pull rate limit/),
    rateLimited,
    documented(
      "https://docs.docker.com/docker-hub/usage/pulls/",
      "error from registry: You have reached your pull rate limit.",
      "error from registry: You have reached your unauthenticated pull rate limit."
    )
  ),
  row(
    words(/^The repository with name '[^']*' does not exist in the registry/),
    repositoryNotFound,
    recorded("d28c-repo-missing-ecr")
  ),
  row(words(/^Repository "[^"]*" not found/), repositoryNotFound, recorded("d28c-repo-missing-gar")),
  row(
    words(/^project \S+ not found/),
    repositoryNotFound,
    recorded("d20-repo-missing-harbor", "d28c-repo-missing-harbor")
  ),
  row(words(/^Missing image name\. Pushes should be of the form /), invalidName, recorded("d28c-name-invalid"))
]

export const table: ReadonlyArray<Row> = [
  ...refinements,
  ...byCode,
  ...byStatus,
  ...byConnection,
  ...byEngine,
  ...byWords
]
