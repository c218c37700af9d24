import { Socket } from "node:net";

/** The thread of `watchParent`. SIGKILL, because nothing else ends a process that is inside native code. */
const end = (): void => {
  process.kill(process.pid, "SIGKILL");
};

const pipe = new Socket({ fd: 0, readable: true, writable: false });
pipe.on("end", end);
pipe.on("error", end);
pipe.on("close", end);
pipe.resume();
