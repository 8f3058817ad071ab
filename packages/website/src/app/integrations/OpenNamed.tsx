"use client";

import { useEffect } from "react";
import { useQuery } from "@/components/query";

/** Opens the service that the address names, and goes to it. */
export function OpenNamed() {
  const service = useQuery("service");
  useEffect(() => {
    const card = service ? document.getElementById(service) : null;
    card?.querySelector("details")?.setAttribute("open", "");
    card?.scrollIntoView();
  }, [service]);
  return null;
}
