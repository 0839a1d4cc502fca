/** The people of the loopback registries. */
export interface LabUser {
  readonly username: string
  readonly password: string
  /** What the token registry lets them do; an htpasswd file knows no such thing. */
  readonly actions: ReadonlyArray<"pull" | "push" | "delete">
}

export const dev: LabUser = { username: "dev", password: "devpw", actions: ["pull", "push", "delete"] }

export const readOnly: LabUser = { username: "ro", password: "ropw", actions: ["pull"] }

export const all: ReadonlyArray<LabUser> = [dev, readOnly]
