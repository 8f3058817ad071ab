"use client";

import { useRef, useState } from "react";
import { Confirm } from "@/components/Confirm";
import { CopyButton, type CopyTexts } from "@/components/CopyButton";
import { Say } from "@/components/Say";
import { SiteLink } from "@/components/SiteLink";
import { moment } from "@/components/dates";
import { can, makeKey, revokeKey, rotateKey, useAccount } from "@/engine/account";
import { asEngineError } from "@/engine/client";
import { filled, type Text } from "@/messages";
import type { PartProps } from "./Dashboard";

// What has to be typed before a key is revoked.
const WORD = "REVOKE";

interface Props extends PartProps {
  readonly copy: CopyTexts;
  readonly shown: boolean;
  readonly onShow: (shown: boolean) => void;
}

/** The key: shown, copied, replaced and ended. */
export function KeyCard({ t, copy, shown, onShow }: Props) {
  const { health, me, key, loginTooOld, keyRefused } = useAccount();
  const rotating = useRef<HTMLDialogElement>(null);
  const revoking = useRef<HTMLDialogElement>(null);
  const [word, setWord] = useState("");
  const [done, setDone] = useState<{ good: boolean; text: Text }>();
  const about = me?.key;
  const gone = me !== undefined && about === null && !key;

  async function doing(action: () => Promise<Text>): Promise<void> {
    try {
      setDone({ good: true, text: await action() });
    } catch (error) {
      const { message, code } = asEngineError(error);
      setDone({ good: false, text: code === "login_too_old" ? t.logInAgainText : { en: message, zh: message } });
    }
  }
  const rotate = () =>
    doing(async () => {
      const unopened = await rotateKey();
      return unopened.length ? filled(t.rotatedUnopened, { names: unopened.join(", ") }) : t.rotated;
    });
  const revoke = () =>
    doing(async () => {
      await revokeKey();
      onShow(false);
      setWord("");
      return t.revoked;
    });

  return (
    <section className="card key-card" aria-labelledby="key-title">
      <h2 id="key-title">
        <Say of={t.keyTitle} />
      </h2>
      <p className="soft">
        <Say of={gone ? t.noKeyText : t.keyText} />
      </p>
      {gone ? (
        <button type="button" className="button primary" onClick={() => doing(async () => (await makeKey(), t.keyTitle))}>
          <Say of={t.makeKey} />
        </button>
      ) : (
        <output className="key" aria-label="API key">
          {key && shown ? key : about ? `${about.prefix}…${about.last_four}` : "ak_…"}
        </output>
      )}
      {key && (
        <div className="buttons">
          <button type="button" className="button small" aria-pressed={shown} onClick={() => onShow(!shown)}>
            <Say of={shown ? t.hide : t.reveal} />
          </button>
          <CopyButton text={key} labels={{ ...copy, copy: t.copyKey }} className="button small" />
        </div>
      )}
      {!key && !gone && loginTooOld && !keyRefused && (
        <div className="notice">
          <span>
            <Say of={t.logInAgainText} />
          </span>
          <SiteLink href="/login?redirect=/dashboard" className="button small">
            <Say of={t.logInAgain} />
          </SiteLink>
        </div>
      )}
      {about && (
        <p className="fine">
          <Say of={filledMoment(t.made, about.created_at)} />
          {" · "}
          <Say of={about.last_used_at ? filledMoment(t.lastUsed, about.last_used_at) : t.neverUsed} />
        </p>
      )}
      {done && (
        <p className={done.good ? "notice good" : "notice bad"} role="status">
          <Say of={done.text} />
        </p>
      )}
      {!gone && me && (
        <div className="buttons key-actions">
          <button type="button" className="button small" onClick={() => rotating.current?.showModal()}>
            <Say of={t.rotate} />
          </button>
          <button type="button" className="button small danger" onClick={() => revoking.current?.showModal()}>
            <Say of={t.revoke} />
          </button>
        </div>
      )}
      <Confirm
        dialog={rotating}
        title={t.rotateTitle}
        text={can(health, "accounts") ? t.rotateText : t.rotateHosted}
        action={t.rotateConfirm}
        cancel={t.cancel}
        onConfirm={rotate}
      />
      <Confirm
        dialog={revoking}
        title={t.revokeTitle}
        text={t.revokeText}
        action={t.revokeConfirm}
        cancel={t.cancel}
        danger
        ready={word === WORD}
        onConfirm={revoke}
      >
        <div className="field">
          <label htmlFor="revoke-word">
            <Say of={t.revokeWord} />
          </label>
          <input
            id="revoke-word"
            className="input"
            value={word}
            autoComplete="off"
            onChange={(event) => setWord(event.target.value)}
          />
        </div>
      </Confirm>
    </section>
  );
}

function filledMoment(text: Text, seconds: number): Text {
  const date = moment(seconds);
  return { en: text.en.replace("{date}", date.en), zh: text.zh.replace("{date}", date.zh) };
}
