/**
 * Words of the file that a later version brings. To take them without doing what they say would be worse than to refuse:
 * nobody would get the connector's credential, and nothing would keep a protected tag.
 */
export const laterWords: ReadonlyMap<string, string> = new Map([
  [
    "connectors",
    "connectors are not available in this version of gantry; use secrets, or leave credentials to the keychain"
  ],
  [
    "connector",
    "connectors are not available in this version of gantry; use a secret, or leave the credential to the keychain"
  ],
  [
    "protect",
    "protected tags are not available in this version of gantry; remove protect, for nothing would keep these tags"
  ]
])
