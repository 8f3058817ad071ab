"use client";

import { useCallback, useEffect, useState } from "react";
import { asEngineError, type EngineError } from "./client";

export interface Asked<T> {
  readonly value?: T | undefined;
  readonly error?: EngineError | undefined;
  readonly loading: boolean;
  readonly again: () => void;
}

/**
 * Ask for something when the part of the page appears, and whenever `subject` changes; a late response to an earlier
 * question is dropped. Nothing is asked while `subject` is undefined.
 */
export function useEngine<T>(ask: () => Promise<T>, subject: string | undefined): Asked<T> {
  const [state, setState] = useState<{ value?: T | undefined; error?: EngineError | undefined; of?: string | undefined }>({});
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (subject === undefined) return;
    let dropped = false;
    ask().then(
      (value) => !dropped && setState({ value, of: subject }),
      (error) => !dropped && setState((before) => ({ ...before, error: asEngineError(error), of: subject })),
    );
    return () => {
      dropped = true;
    };
  }, [subject, attempt]);
  const again = useCallback(() => {
    setState((before) => ({ ...before, error: undefined, of: undefined }));
    setAttempt((number) => number + 1);
  }, []);
  const loading = subject !== undefined && state.of !== subject;
  // What was found before stays until something else is known; what failed before was another question.
  return { value: subject === undefined ? undefined : state.value, error: state.of === subject ? state.error : undefined, loading, again };
}
