import type { PlatformError } from "@effect/platform/Error"

/** What the system says of a file, without the call of gantry's that it said it to. */
export const systemWords = ({ description, message }: PlatformError): string => description ?? message
