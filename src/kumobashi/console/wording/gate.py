"""What a release tells of people: the gate on the page of a link, of a plan, and on its own."""

from kumobashi.console.wording.pairs import both

TEXT = {
    "gate_card": both("危険度の確認（出す前）", "The gate: measured before it leaves"),
    "gate_more": both(
        "この提供ルールで、なにが知られるかを見る", "See what this rule tells of people"
    ),
    "gate_title": both("この提供ルールで、なにが知られるか", "What this rule tells of people"),
    "gate_of_transfer": both(
        "{day}分の転送で測った数字です。", "Measured for the transfer of {day}."
    ),
    "gate_of_plan": both(
        "事前点検で数えた数字です。何も送っていません。", "Counted for the plan; nothing was sent."
    ),
    "gate_rule": both("提供ルール", "Release rule"),
    "gate_version": both("第{version}版", "version {version}"),
    "gate_chosen": both(
        "「書いたまま」の数字は {day} のものです。", "Figures as written are those of {day}."
    ),
    "gate_unmeasured": both("まだ測っていません。", "It has not been measured yet."),
    "gate_unmeasured_why": both(
        "事前点検で承認を依頼するか、転送が一度動くと、ここに数字が出ます。",
        "Figures appear once approval of the plan was asked for, or a transfer has run.",
    ),
    "gate_none_needed": both(
        "符号と通知のコードだけを出すルールなので、測る項目がありません。",
        "A rule that sends a token and a code alone has nothing to measure.",
    ),
    "gate_in_hall": both(
        "庁内で使う連携なので、出す前の確認（gate）は求められていません。名前や番号もそのまま渡ります。",
        "It stays in the hall, where no gate is asked for; names and numbers pass as they are.",
    ),
    "gate_ungated": both(
        "このルールには、出す前の確認（gate）がありません。", "This rule has no gate."
    ),
    "gate_other_rule": both(
        "この数字は、今とは違う形の提供ルールで測ったものです。下の架空の住民は、今のルールを通しています。",
        "These figures were measured with another form of the rule; the invented resident below"
        " goes through the rule as it is now.",
    ),
    "gate_question": both(
        "隣の人の誕生日を知っている人は、なにを知ることができるか",
        "What could someone who knows a neighbour's birthday learn?",
    ),
    "gate_flags": both("知られたくない項目は", "And what nobody should learn?"),
    "gate_flags_taken": both(
        "隣人は、その人がこれらに当てはまるかを知らないものとして考えます。すでに1つを知っている人は、"
        "さらに絞れることがあります。",
        "We take it that a neighbour knows none of these; who knows one may narrow it down.",
    ),
    "gate_still_personal": both(
        "抽象化済の個人情報です。ここで通っても、個人情報としての扱いは変わりません。",
        "These remain coarsened personal data, and must be handled as such.",
    ),
    "gate_code_personal": both(
        "符号とコードも個人情報です。扱いは変わりません。",
        "A token and a code are personal data too, and must be handled as such.",
    ),
    "gate_table_note": both(
        "下の「何が、どう変わって出るか」は、提供ルールに書いたままの値です。印の段まで粗くした値が出ます。",
        "The items below are shown as written; they leave as coarse as the marked steps.",
    ),
    "gate_code_tells": both(
        "この連携は属性を出しません。ただし、コードが付いた人は、その通知の対象だと分かります。",
        "No attribute leaves. Yet whoever has the code is known to be meant by the notice.",
    ),
    "gate_ways_out": both("出せるようにする3つの道", "Three ways out"),
    "gate_ladders": both("架空の住民でたどる", "An invented resident goes through it"),
    "gate_person": both(
        "は架空の住民です。実在の住民のデータではありません。",
        "is invented; nobody of the municipality stands here.",
    ),
    "gate_ladders_how": both(
        "はしごの下が庁内にある値、1段上がるごとに粗くなります。印の段の値が出ます。",
        "At the foot stands what the hall has; each step up is coarser. The marked step leaves.",
    ),
    "gate_ladders_refused": both(
        "はしごの下が庁内にある値、1段上がるごとに粗くなります。許された粗さでは足りないので、何も出ません。",
        "At the foot stands what the hall has; each step up is coarser. No allowed coarseness is"
        " enough: nothing leaves.",
    ),
    "gate_no_ladder": both(
        "このルールの項目に、粗くする段（ladder）はありません。",
        "No column of this rule has coarser steps.",
    ),
    "gate_foot": both("庁内の値", "In the hall"),
    "gate_here": both("ここまで上がりました", "It climbed to here"),
    "gate_as_written": both("書いたまま", "as written"),
    "gate_becomes": both("なにが出るか", "What leaves of this resident"),
    "gate_col_hall": both("庁内にある値", "In the hall"),
    "gate_col_rule": both("この提供ルールで出る値", "By this rule"),
    "gate_col_rule_refused": both(
        "書いたままなら出る値（出しません）", "As written (nothing leaves)"
    ),
    "gate_col_predicate": both("庁内判定で出る値", "Decided in the hall"),
    "gate_not_sent": both("出さない", "not sent"),
    "gate_notice": both("通知のコード", "Code of the notice"),
    "gate_predicate_note": both(
        "庁内判定（predicate_only）は、この人が下の通知の対象だったときの例です。出るのは符号とコード"
        "だけですが、コードが付いた人は、その通知の対象だと分かります。",
        "Decided in the hall (predicate-only): as if the notice below meant this person. A token"
        " and the code are all that leaves; yet the code says that the person is meant.",
    ),
    "gate_kept_back": both("ほかに、庁内に残る項目", "What else stays in the hall"),
    "gate_bars": both("同じに見える人が何人いるか", "How many people look alike"),
    "gate_bars_how": both(
        "棒の長さは人数です。組の数ではありません。上の方の棒（{few}人未満の組）にいる人ほど目立ちます。",
        "Bars count people, not groups. Who is in groups under {few}, at the top, stands out.",
    ),
    "gate_col_alike": both("同じに見える人（本人を含む）", "People alike, oneself included"),
    "gate_col_before": both("書いたまま", "As written"),
    "gate_col_after": both("出るもの", "What leaves"),
    "gate_few": both("目立つ", "stands out"),
    "gate_total": both("合計", "All"),
    "gate_left_out": both(
        "目立つため除いた人が {rows}人います。", "Left out, as they would stand out: {rows}."
    ),
    "gate_nothing": both("何も出ません", "nothing leaves"),
    "gate_numbers": both("測った数字", "What was measured"),
    "gate_col_measure": both("危険度の物差し", "Measure"),
    "gate_col_limit": both("しきい値", "Limit"),
    "gate_kept": both("しきい値を満たします", "within the limit"),
    "gate_broken": both("しきい値を満たしません", "beyond the limit"),
    "gate_climbs": both("粗くする段", "Steps"),
}
