{{- define "graftd.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "graftd.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "graftd.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "graftd.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "graftd.selectorLabels" -}}
app.kubernetes.io/name: {{ include "graftd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "graftd.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "graftd.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "graftd.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "graftd.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed without serviceAccount.create" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* graftd.yaml: what the chart knows, and the values' config over it. */ -}}
{{- define "graftd.configuration" -}}
{{- $auth := dict "username" .Values.grafana.username "passwordFile" (printf "/run/secrets/grafana/%s" .Values.grafana.passwordKey) }}
{{- if .Values.grafana.tokenKey }}
{{- $auth = dict "tokenFile" (printf "/run/secrets/grafana/%s" .Values.grafana.tokenKey) }}
{{- end }}
{{- $grafana := dict "url" .Values.grafana.url "auth" $auth }}
{{- with .Values.grafana.caKey }}
{{- $_ := set $grafana "tls" (dict "caFile" (printf "/run/secrets/grafana/%s" .)) }}
{{- end }}
{{- $manifests := dict "directory" "/manifests" }}
{{- if eq .Values.manifests.source "gitSync" }}
{{- $_ := set $manifests "directory" (printf "/git/current/%s" .Values.manifests.gitSync.path | trimSuffix "/") }}
{{- else if eq .Values.manifests.source "git" }}
{{- $given := .Values.manifests.git }}
{{- $git := dict "url" $given.url "ref" $given.ref "pollInterval" $given.pollInterval }}
{{- with $given.path }}{{ $_ := set $git "path" . }}{{ end }}
{{- $access := dict }}
{{- with $given.tokenKey }}
{{- $_ := set $access "username" $given.username }}
{{- $_ := set $access "tokenFile" (printf "/run/secrets/git/%s" .) }}
{{- end }}
{{- with $given.sshKey }}{{ $_ := set $access "sshKeyFile" (printf "/run/secrets/git/%s" .) }}{{ end }}
{{- with $given.knownHostsKey }}{{ $_ := set $access "knownHostsFile" (printf "/run/secrets/git/%s" .) }}{{ end }}
{{- with $access }}{{ $_ := set $git "auth" . }}{{ end }}
{{- $manifests = dict "git" $git }}
{{- end }}
{{- $name := include "graftd.fullname" . }}
{{- $hosts := printf "%s,%s.%s,%s.%s.svc" $name $name .Release.Namespace $name .Release.Namespace }}
{{- $http := dict "listen" "0.0.0.0:9417" "allowRemote" true "hosts" $hosts }}
{{- $state := dict "directory" "/var/lib/graftd/state" }}
{{- $tokens := dict "directory" "/var/lib/graftd/tokens" }}
{{- $own := dict "owner" .Values.owner "grafana" $grafana "manifests" $manifests "http" $http "state" $state "tokens" $tokens }}
{{- mergeOverwrite $own (deepCopy .Values.config) | toYaml }}
{{- end }}
