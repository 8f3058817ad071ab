"use client";

import { useEffect } from "react";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { Empty, Failure, Loading } from "@/components/states";
import { setQuery, useQuery } from "@/components/query";
import { callWithKey, can, load, useAccount } from "@/engine/account";
import { useEngine } from "@/engine/useEngine";
import { filled, type Texts } from "@/messages";
import { Render } from "./Render";
import { Versions } from "./Versions";

export interface RecipeTexts {
  readonly t: Texts<"recipes">;
  readonly common: Texts<"common">;
}

interface Listed {
  readonly name: string;
  readonly version: number;
  readonly description: string;
}

/** The account's prompt recipes; one of them with its versions, and rendered. */
export function OwnRecipes({ t, common }: RecipeTexts) {
  const { state, key, health, error } = useAccount();
  const name = useQuery("name");
  useEffect(() => {
    if (state === "unknown") load();
  }, [state]);
  const there = can(health, "prompt_recipes");
  const asked = useEngine(() => callWithKey<{ recipes: Listed[] }>("/prompt-recipes?limit=200"), there ? key : undefined);
  const failure = error ?? asked.error;
  if (failure) return <Failure error={failure} down={common.engineDown} tryAgain={common.tryAgain} again={error ? load : asked.again} />;
  if (state !== "ready") return <Loading label={common.loading} />;
  if (!there)
    return (
      <p className="notice">
        <Say of={t.notHere} />
      </p>
    );
  if (!key)
    return (
      <Empty title={t.needsKey} text={t.needsKeyText}>
        <SiteLink href="/login?redirect=/recipes" className="button primary">
          <Say of={t.logIn} />
        </SiteLink>
      </Empty>
    );
  if (!asked.value) return <Loading label={common.loading} />;
  if (asked.value.recipes.length === 0) return <Empty title={t.none} text={t.noneText} />;
  const chosen = asked.value.recipes.find((recipe) => recipe.name === name);
  return (
    <>
      <div className="chips">
        {asked.value.recipes.map((recipe) => (
          <button
            key={recipe.name}
            type="button"
            className="chip"
            aria-pressed={recipe.name === name}
            onClick={() => setQuery({ name: recipe.name })}
          >
            {recipe.version ? `${recipe.name} · ${recipe.version}` : recipe.name}
          </button>
        ))}
      </div>
      {name && !chosen && <Empty title={filled(t.notFound, { name })} text={t.notFoundText} />}
      {chosen && (
        <>
          <p className="soft recipe-description">{chosen.description}</p>
          <div key={name} className="recipe-view">
            <Versions name={name} t={t} common={common} />
            <Render name={name} t={t} common={common} />
          </div>
        </>
      )}
    </>
  );
}
