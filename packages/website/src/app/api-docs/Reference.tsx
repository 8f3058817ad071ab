"use client";

import { type ComponentType, type createElement, type FormEvent, useEffect, useRef, useState } from "react";
import { Say } from "@/components/Say";
import { Failure, Loading } from "@/components/states";
import { load, useAccount } from "@/engine/account";
import { EngineError, engineUrl } from "@/engine/client";
import type { Texts } from "@/messages";

// The title of a section of the contract, which is in English.
const DIFFERENCES = "Differences from the deployed engine";

interface SwaggerRequest {
  url: string;
  headers: Record<string, string>;
}

declare global {
  interface Window {
    SwaggerUIBundle?: (options: Record<string, unknown>) => unknown;
  }
}

/** Swagger UI on the contract that this site was built with; requests go to the engine, with the person's key. */
export function Reference({ t, common }: { t: Texts<"api">; common: Texts<"common"> }) {
  const { state, health, key } = useAccount();
  const place = useRef<HTMLDivElement>(null);
  const usedKey = useRef<string>(undefined);
  const [entered, setEntered] = useState<string>();
  const [shown, setShown] = useState<"loading" | "ready" | "failed">("loading");
  usedKey.current = entered ?? key;
  useEffect(() => {
    if (state === "unknown") load();
  }, [state]);
  useEffect(() => {
    show(place.current, () => usedKey.current).then(
      () => setShown("ready"),
      () => setShown("failed"),
    );
  }, []);
  useDarkReference();
  function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setEntered(String(new FormData(event.currentTarget).get("key")).trim() || undefined);
  }
  return (
    <>
      {health && !health.capabilities && (
        <p className="notice warn" role="status">
          <span>
            <Say of={t.otherEngine} /> <a href="/docs/contract#differences-from-the-deployed-engine">{DIFFERENCES}</a>
          </span>
        </p>
      )}
      {usedKey.current ? (
        <p className="notice good" role="status">
          <Say of={t.keyUsed} />
        </p>
      ) : (
        <form className="api-key needs-script" onSubmit={enter}>
          <div className="field">
            <label htmlFor="api-key">
              <Say of={t.keyLabel} />
            </label>
            <input id="api-key" name="key" type="password" className="input" autoComplete="off" aria-describedby="api-key-help" />
            <p id="api-key-help" className="fine">
              <Say of={t.keyHelp} />
            </p>
          </div>
          <button type="submit" className="button">
            <Say of={t.useKey} />
          </button>
        </form>
      )}
      {shown === "loading" && <Loading label={common.loading} />}
      {shown === "failed" && (
        <Failure
          error={new EngineError(0, "", "")}
          down={common.engineDown}
          tryAgain={common.tryAgain}
          again={() => location.reload()}
        />
      )}
      <h2 className="only-read-aloud">
        <Say of={t.operations} />
      </h2>
      <div ref={place} id="reference" lang="en" />
    </>
  );
}

const DARK = "dark-mode";

/** Switches Swagger UI to its dark colors, by the class that it looks for, whenever the page is dark. */
function useDarkReference() {
  useEffect(() => {
    const root = document.documentElement;
    const preferred = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => {
      const { theme } = root.dataset;
      root.classList.toggle(DARK, theme ? theme === "dark" : preferred.matches);
    };
    const observer = new MutationObserver(follow);
    observer.observe(root, { attributeFilter: ["data-theme"] });
    preferred.addEventListener("change", follow);
    follow();
    return () => {
      observer.disconnect();
      preferred.removeEventListener("change", follow);
      root.classList.remove(DARK);
    };
  }, []);
}

async function show(place: HTMLElement | null, key: () => string | undefined): Promise<void> {
  const [contract] = await Promise.all([
    fetch("/arcrun.json").then((response) => response.json() as Promise<Record<string, unknown>>),
    loaded("/swagger-ui/swagger-ui-bundle.js"),
  ]);
  window.SwaggerUIBundle?.({
    spec: { ...contract, servers: [{ url: engineUrl() }] },
    domNode: place,
    layout: "OperationsOnly",
    plugins: [operationsOnly],
    // A link in the button of each operation would be one that a screen reader can't reach.
    deepLinking: false,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    validatorUrl: null,
    persistAuthorization: false,
    // The request as it was filled in: the command that is shown does not have the key.
    showMutatedRequest: false,
    requestInterceptor: (request: SwaggerRequest) => {
      const value = key();
      if (value && request.url.startsWith(engineUrl())) request.headers["X-Arcrun-API-Key"] ??= value;
      return request;
    },
  });
}

interface System {
  readonly React: { readonly createElement: typeof createElement };
}

interface LayoutProps {
  readonly getComponent: (name: string, connected?: boolean) => ComponentType;
}

/** The operations alone: the page has a title, a key and a main part of its own. */
function operationsOnly({ React }: System) {
  const OperationsOnly = ({ getComponent }: LayoutProps) =>
    React.createElement(
      "div",
      { className: "swagger-ui" },
      React.createElement(getComponent("SvgAssets")),
      React.createElement(getComponent("errors", true)),
      React.createElement(getComponent("operations", true)),
    );
  return { components: { OperationsOnly } };
}

function loaded(url: string): Promise<void> {
  if (window.SwaggerUIBundle) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(url));
    document.head.append(script);
  });
}
