import { DocumentTitle } from "@/components/DocumentTitle";
import { Mark } from "@/components/Header";
import { windowTitle } from "@/components/PageHead";
import { Say } from "@/components/Say";
import { pageMetadata } from "@/components/metadata";
import { texts } from "@/messages";
import { Providers } from "./Providers";

const t = texts("login");
const common = texts("common");

export const metadata = pageMetadata("/login", t.title, t.description);

export default function LogIn() {
  return (
    <div className="wrap login">
      <DocumentTitle of={windowTitle(t.title)} />
      <div className="card login-card">
        <Mark />
        <h1>
          <Say of={t.heading} />
        </h1>
        <p>
          <Say of={t.lead} />
        </p>
        <Providers t={t} common={common} />
        <p className="fine">
          <Say of={t.privacy} />
        </p>
      </div>
    </div>
  );
}
