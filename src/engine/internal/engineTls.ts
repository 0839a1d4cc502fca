import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { EngineTls } from "../DockerEngine.ts"

type Checked<A> = Either.Either<A, string>

const isEncrypted = (pem: string): boolean => /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)

const readKey = (pem: string): Checked<KeyObject> =>
  isEncrypted(pem)
    ? Either.left(
        "Its key (key.pem) is encrypted. Write it without its passphrase: openssl pkey -in key.pem -out plain.pem."
      )
    : // What is wrong with a key is not repeated: it may quote the key.
      Either.try({ try: () => createPrivateKey(pem), catch: () => "Its key (key.pem) is no private key in PEM form." })

const readCertificate = (pem: string, file: string): Checked<X509Certificate> =>
  Either.try({ try: () => new X509Certificate(pem), catch: () => `${file} is no certificate in PEM form.` })

const optional = <A>(pem: string | undefined, read: (pem: string) => Checked<A>): Checked<Option.Option<A>> =>
  pem === undefined ? Either.right(Option.none()) : Either.map(read(pem), Option.some)

/**
 * Reads the certificates as the connection will, which has nobody to tell when one can not be used. `Left` is what is wrong.
 */
export const check = (tls: EngineTls): Checked<void> =>
  Either.gen(function* () {
    yield* optional(tls.ca, (pem) => readCertificate(pem, "Its authority (ca.pem)"))
    const certificate = yield* optional(tls.certificate, (pem) => readCertificate(pem, "Its certificate (cert.pem)"))
    const key = yield* optional(tls.key === undefined ? undefined : Redacted.value(tls.key), readKey)
    const isPair = Option.getOrElse(
      Option.zipWith(certificate, key, (certificate, key) => certificate.checkPrivateKey(key)),
      () => Option.isSome(certificate) === Option.isSome(key)
    )
    if (!isPair) yield* Either.left("Its key (key.pem) is not that of its certificate (cert.pem).")
  })
