/**
 * Commands to GitHub's runner, which finds them in the lines of a step's stdout and stderr:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C")

/** The line that shows an error on a run's page. */
export const errorCommand = ({ message, title }: { readonly title: string; readonly message: string }): string =>
  `::error title=${property(title)}::${data(message)}`
