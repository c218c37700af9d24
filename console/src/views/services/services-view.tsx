import { useHashRoute } from "../../app/hash-route.ts";
import { useSession } from "../../app/session.ts";
import { useLive } from "../../live/use-live.ts";
import { Loading } from "../../parts/loading.tsx";
import { ServiceDetail } from "./service-detail.tsx";
import { ServiceList } from "./service-list.tsx";
import "./services.css";

/** What the node serves: all of it, or one service by the address. */
export function ServicesView() {
  const { rest } = useHashRoute();
  const { admin } = useSession();
  const services = useLive((state) => state.status?.services);
  const [name] = rest;
  if (services === undefined) return <Loading what="the services" />;
  return name === undefined || !admin ? (
    <ServiceList services={services} />
  ) : (
    <ServiceDetail key={name} name={name} service={services.find((one) => one.name === name)} />
  );
}
