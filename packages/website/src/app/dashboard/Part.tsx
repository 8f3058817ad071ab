import type { ReactNode } from "react";
import { Say } from "@/components/Say";
import { Empty, Failure, Loading } from "@/components/states";
import type { Asked } from "@/engine/useEngine";
import type { Text } from "@/messages";
import type { PartProps } from "./Dashboard";

interface Props<T> extends PartProps {
  readonly id: string;
  readonly title: Text;
  readonly text?: Text;
  /** Whether it needs a key that is missing. */
  readonly needsKey: boolean;
  readonly asked: Asked<unknown>;
  /** What it lists; undefined until it is known. */
  readonly items: readonly T[] | undefined;
  readonly empty: { readonly title: Text; readonly text: Text };
  readonly children: (items: readonly T[]) => ReactNode;
}

/** A part of the dashboard that lists something of the account, with what is shown before, without and instead of it. */
export function Part<T>({ t, common, id, title, text, needsKey, asked, items, empty, children }: Props<T>) {
  return (
    <section className="dashboard-section" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>
        <Say of={title} />
      </h2>
      {text && (
        <p className="soft">
          <Say of={text} />
        </p>
      )}
      {needsKey && (
        <p className="notice">
          <Say of={t.needsKey} />
        </p>
      )}
      {asked.error && <Failure error={asked.error} down={common.engineDown} tryAgain={common.tryAgain} again={asked.again} />}
      {asked.loading && !items && <Loading label={common.loading} />}
      {items?.length === 0 && <Empty {...empty} />}
      {items && items.length > 0 && children(items)}
    </section>
  );
}
