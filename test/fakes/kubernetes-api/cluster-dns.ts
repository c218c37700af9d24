/**
 * A preload for what runs in a pod of the fake cluster: names of Services lead to this machine, where the containers of
 * that cluster listen.
 */
import dns from "node:dns";

// oxlint-disable-next-line typescript/unbound-method -- called with nothing that it needs
const { lookup } = dns;

Object.assign(dns, {
  lookup: (name: string, ...rest: readonly unknown[]): unknown =>
    Reflect.apply(lookup, dns, [/\.svc(?:\.cluster\.local)?$/.test(name) ? "127.0.0.1" : name, ...rest]),
});
