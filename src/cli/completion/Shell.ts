/**
 * The shells that gantry writes a completion for.
 */
export const shells = ["bash", "zsh", "fish"] as const

export type Shell = (typeof shells)[number]
