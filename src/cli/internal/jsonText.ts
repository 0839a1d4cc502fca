/**
 * JSON as gantry prints it. Azure's and GitHub's runners look for commands in the middle of lines too (`##[add-mask]`), so
 * no two # stand together: an escape says the same.
 */
const withoutCommands = (json: string): string => json.replaceAll("##", "#\\u0023")

/** A document for people to read, too, with its last newline. */
export const jsonDocument = (value: object): string => `${withoutCommands(JSON.stringify(value, undefined, 2))}\n`

/** A document on one line, which has no newline. */
export const jsonLine = (value: object): string => withoutCommands(JSON.stringify(value))
