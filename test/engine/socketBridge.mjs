// Its standard streams are the connection to a unix socket: what `docker system dial-stdio` does.
import { connect } from "node:net"

const socket = connect(process.argv[2])
process.stdin.pipe(socket)
socket.pipe(process.stdout)
socket.on("close", () => process.exit(0))
socket.on("error", () => process.exit(1))
process.stdout.on("error", () => process.exit(0))
