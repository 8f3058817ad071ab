import type { summaries as english } from "../en/summaries";
import type { Part } from "../index";

/** What each component is for, in a sentence. */
export const summaries: Part<typeof english> = {
  summaries: {
    array_ops: "處理陣列：長度、首尾、切片、排序、分組等。",
    auth_oauth2: "以 OAuth 2.0 存取權杖登入服務並送出請求，權杖會自動更新。",
    auth_service_account: "以服務帳戶的金鑰登入服務並送出請求。",
    auth_static_key: "以您的金鑰登入服務並送出請求。",
    claude_api: "以提示詞、訊息或提示詞配方詢問語言模型。",
    code: "在沙盒中執行您的 JavaScript，無法存取網路與檔案。",
    cron: "解讀 cron 表達式，並讀取、設定或移除工作流程的排程。",
    date_ops: "格式化、加減與比較日期，支援任何時區。",
    filter: "保留符合條件的陣列元素。",
    foreach_control: "為迴圈準備清單：全部、一部分或分批。",
    hash: "計算文字的雜湊值；提供金鑰則為 HMAC。",
    http_request: "向任何服務送出 HTTP 請求。",
    if_control: "依條件走向兩條分支之一。",
    merge: "將多個物件或清單合併為一。",
    number_ops: "數字運算：加總、相乘、取整、最小值與最大值。",
    set: "設定數值，後續節點可依名稱取用。",
    string_ops: "處理文字：大小寫、修剪、取代、分割、合併與比對。",
    switch: "依數值走向多條分支之一。",
    try_catch: "發生錯誤時走一條分支，沒有錯誤時走另一條。",
    validate_json: "以 JSON Schema 檢查數值。",
    wait: "等待數秒。",
  },
};
