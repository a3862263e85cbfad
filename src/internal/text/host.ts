/** Names and addresses of hosts. */

/** Whether only this machine can reach a host by this name or address. */
export const isLoopback = (host: string): boolean =>
  /^(?:localhost|[\w.-]*\.localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i.test(host)
